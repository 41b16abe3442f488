"""Rspamd and its Redis: spam, DKIM and ARC, in one process and little memory."""

import subprocess

from . import dkim
from .part import File, Host, Part
from .state import Mail
from .templates import plain, text

LOCAL = "rspamd/local.d"
PLAIN = (
    "actions.conf",
    "classifier-bayes.conf",
    "force_actions.conf",
    "logging.inc",
    "milter_headers.conf",
    "options.inc",
    "phishing.conf",
    "rbl.conf",
    "redis.conf",
    "regexp.conf",
    "settings.conf",
    "worker-controller.inc",
    "worker-normal.inc",
    "worker-proxy.inc",
)
# Modules that tell others about the mail, need a server of their own, or more memory than they are worth here.
OFF = (
    "antivirus",
    "asn",
    "bimi",
    "clickhouse",
    "dcc",
    "elastic",
    "external_services",
    "fuzzy_check",
    "gpt",
    "greylist",
    "history_redis",
    "known_senders",
    "metadata_exporter",
    "metric_exporter",
    "mx_check",
    "neural",
    "p0f",
    "ratelimit",
    "replies",
    "reputation",
    "rspamd_update",
    "spamassassin",
    "url_redirector",
)


def files(mail: Mail, host: Host) -> list[File]:
    """Everything that differs from Debian's Rspamd, a file for each of its modules; the keys are not among them."""
    domains = "".join(_domain(domain.name, host) for domain in mail.domains)
    return [
        *(File(f"{LOCAL}/{name}", plain(f"rspamd/{name}")) for name in PLAIN),
        *(File(f"{LOCAL}/{name}.conf", plain("rspamd/off")) for name in OFF),
        *(
            File(f"{LOCAL}/{name}.conf", text(f"rspamd/{name}.conf", domains=domains))
            for name in ("arc", "dkim_signing")
        ),
        File("rspamd/override.d/options.inc", plain("rspamd/override.inc")),
        File("redis/redis.conf", plain("rspamd/redis-server.conf")),
        File("rspamd/rspamd.service.conf", plain("rspamd/rspamd.service.conf")),
    ]


def _domain(name: str, host: Host) -> str:
    return text("rspamd/domain", domain=name, selector=dkim.SELECTOR, key=dkim.path(host, name))


def ready(mail: Mail, host: Host) -> None:
    """The keys, and the right to speak to Redis."""
    dkim.ready(mail, host)
    subprocess.run(["usermod", "--append", "--groups", "redis", dkim.READER], check=True, capture_output=True)


PART = Part(
    name="rspamd",
    files=files,
    links={
        "/etc/rspamd/local.d": LOCAL,
        "/etc/rspamd/override.d": "rspamd/override.d",
        "/etc/redis/redis.conf": "redis/redis.conf",
        "/etc/systemd/system/rspamd.service.d/ready.conf": "rspamd/rspamd.service.conf",
    },
    check=(("rspamadm", "configtest", "-q"),),
    reload=(
        ("systemctl", "restart", "redis-server.service"),
        ("systemctl", "reload-or-restart", "rspamd.service"),
    ),
    units=("redis-server.service", "rspamd.service"),
    ready=ready,
)
