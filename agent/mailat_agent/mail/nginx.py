"""The web server: ACME's proofs, webmail, what mail programs ask for, and nothing for names that are not ours."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from . import acme, certificates, discovery, selfsigned, templates, tls
from .part import File, Host, Part
from .state import Domain, Mail

FOLDER = "nginx"
SNIPPETS = ("tls.conf", "headers.conf", "webmail.conf", "autodiscover.conf")
DEBIANS_SITE = Path("/etc/nginx/sites-enabled/default")
CERTBOTS_TIMER = Path("/etc/systemd/system/timers.target.wants/certbot.timer")
WEBMAIL = "    include /etc/mailat/mail/nginx/webmail.conf;\n"
HEADERS = "    include /etc/mailat/mail/nginx/headers.conf;\n"
AUTODISCOVER = "    include /etc/mailat/mail/nginx/autodiscover.conf;\n"
PATIENCE = 60.0  # seconds


def files(mail: Mail, host: Host) -> list[File]:
    """The site, what it includes, and the documents that it hands out."""
    proofs = templates.text("nginx/acme.conf", webroot=host.home / acme.WEBROOT)
    return [
        File(f"{FOLDER}/mailat.conf", site(mail, host)),
        File(f"{FOLDER}/acme.conf", proofs),
        File(f"{FOLDER}/again.service.conf", templates.plain("again.service.conf")),
        *(File(f"{FOLDER}/{name}", templates.plain(f"nginx/{name}")) for name in SNIPPETS),
        *discovery.files(mail, host),
    ]


def site(mail: Mail, host: Host) -> str:
    """One server for each name that has a certificate, so that a browser is never shown another's."""
    servers = [
        templates.plain("nginx/start.conf"),
        *_server(host, host.hostname, host.hostname, WEBMAIL + AUTODISCOVER),
    ]
    for domain in mail.domains:
        for name, locations in _of_domain(domain, host):
            servers += _server(host, name, domain.name, locations)
    return "".join(servers)


def _server(host: Host, name: str, certificate: str, locations: str) -> Iterator[str]:
    chain, key = host.certificate(certificate)
    yield templates.text("nginx/plain.conf", name=name)
    yield templates.text("nginx/secure.conf", name=name, chain=chain, key=key, locations=locations)


def _of_domain(domain: Domain, host: Host) -> Iterator[tuple[str, str]]:
    served = tls.names_served(host.home, domain.name) - {host.hostname}
    services = {
        "mail": _redirect(discovery.webmail(domain, host)),
        "webmail": WEBMAIL,
        "autoconfig": HEADERS + _autoconfig(domain),
        "autodiscover": HEADERS + AUTODISCOVER + _nothing_else(),
        "mta-sts": HEADERS + _document(domain, "/.well-known/mta-sts.txt", "mta-sts.txt", "text/plain"),
    }
    for service, locations in services.items():
        if (name := f"{service}.{domain.name}") in served:
            yield name, locations


def _autoconfig(domain: Domain) -> str:
    places = ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml")
    settings = "".join(_document(domain, place, "config-v1.1.xml", "text/xml") for place in places)
    profile = "application/x-apple-aspen-config"
    return settings + _document(domain, "/apple.mobileconfig", "apple.mobileconfig", profile)


def _document(domain: Domain, place: str, name: str, kind: str) -> str:
    path = f"/etc/mailat/mail/{discovery.FOLDER}/{domain.name}/{name}"
    return (
        f"    location = {place} {{\n        alias {path};\n"
        f"        types {{ }}\n        default_type {kind};\n    }}\n"
    )


def _redirect(address: str) -> str:
    return f"{HEADERS}    location / {{\n        return 302 {address};\n    }}\n"


def _nothing_else() -> str:
    return "    location / {\n        return 404;\n    }\n"


def ready(mail: Mail, host: Host) -> None:
    """What nginx must find when it starts: a certificate, the folder of proofs, and no other site in its way.

    What is wanted may have new names, so the chore that gets certificates is due.
    """
    del mail
    let_through(host.home)
    selfsigned.ensure(host)
    (host.home / acme.WEBROOT).mkdir(mode=0o755, parents=True, exist_ok=True)
    DEBIANS_SITE.unlink(missing_ok=True)
    if CERTBOTS_TIMER.is_symlink():  # certificates are renewed in one place, by the agent
        command = ("systemctl", "disable", "--now", "--quiet", "certbot.timer")
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    certificates.CHORE.knock()


def let_through(home: Path) -> None:
    """Let daemons that are not root pass through to what they may read; what lies there has modes of its own."""
    home.mkdir(parents=True, exist_ok=True)
    for folder in (home, home.parent):
        if (mode := folder.stat().st_mode & 0o777) & 0o011 != 0o011:
            folder.chmod(mode | 0o011)


PART = Part(
    name="nginx",
    files=files,
    links={
        "/etc/nginx/sites-enabled/mailat.conf": f"{FOLDER}/mailat.conf",
        "/etc/systemd/system/nginx.service.d/again.conf": f"{FOLDER}/again.service.conf",
    },
    check=(("nginx", "-t", "-q"),),
    reload=(("systemctl", "reload-or-restart", "nginx.service"),),
    units=("nginx.service",),
    ready=ready,
)
