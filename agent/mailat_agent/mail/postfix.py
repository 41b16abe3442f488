"""Postfix: what comes in, who may send, and the one way out."""

import re
from dataclasses import replace
from pathlib import Path

from . import addresses, policy_state
from .dovecot import ME, certificates
from .part import CURRENT, File, Host, Part
from .policy_state import Stop
from .state import Mail, Relay
from .templates import text

MAPS = f"{CURRENT}/postfix"
CREDENTIALS = "postfix/relay_password"
SUSPENDED = "550 5.7.1 This mailbox is suspended; its administrator can lift that"
SRS = "/^(SRS[01][-+=].*)$/ $1\n"  # addresses that postsrsd made; Postfix folds no case here


def files(mail: Mail, host: Host) -> list[File]:
    """Both configuration files and the maps that they name; only the relay's password is kept from other users."""
    routes = addresses.routes(mail, host)
    maps = {
        "domains": addresses.lines((name, "OK") for name in own_domains(mail, host)),
        "mailboxes": addresses.lines((user, "OK") for user in routes.users),
        "aliases": addresses.lines((key, ", ".join(to)) for key, to in sorted(routes.virtual.items())),
        "senders": addresses.lines((key, ", ".join(users)) for key, users in routes.senders.items()),
        "submitters": addresses.lines(_submitters(mail, host, policy_state.stopped(host.home, mail))),
        "names": addresses.lines(_names(mail, host)),
        "srs": SRS,
        "personal": _personal(mail, host),
        "hidden": addresses.lines(
            (user, "550 5.1.1 no such mailbox") for user in addresses.hidden(routes, host)
        ),
        "null_sender": "",
        **(_null_sender(mail.relay, host) if mail.relay else {}),
    }
    return [
        File("postfix/main.cf", _main(mail, host)),
        File("postfix/master.cf", _master(host)),
        File("postfix/postfix.service.conf", text("postfix/postfix.service.conf")),
        File("postfix/again.service.conf", text("again.service.conf")),
        *(File(f"postfix/{name}", body) for name, body in maps.items()),
        *([_relay_password(mail.relay, host)] if mail.relay else []),
    ]


def own_domains(mail: Mail, host: Host) -> list[str]:
    """The domains whose mail ends here: the customer's and the host's own name."""
    return sorted({host.hostname, *(domain.name for domain in mail.domains)})


def _main(mail: Mail, host: Host) -> str:
    chain, key = host.certificate(host.hostname)
    out = _relay(mail.relay) if mail.relay else text("postfix/no_relay")
    return text(
        "postfix/main.cf", hostname=host.hostname, maps=MAPS, chain=chain, key=key, out=out.rstrip("\n")
    )


def _relay(relay: Relay) -> str:
    return text("postfix/relay", host=relay.host, port=relay.port, maps=MAPS)


def _master(host: Host) -> str:
    submission = text("postfix/submission", maps=MAPS).rstrip("\n")
    return text("postfix/master.cf", hostname=host.hostname, maps=MAPS, submission=submission)


def _relay_password(relay: Relay, host: Host) -> File:
    line = addresses.lines([(f"[{relay.host}]:{relay.port}", f"{relay.username}:{host.relay_password}")])
    return File(CREDENTIALS, line, mode=0o600)


def _null_sender(relay: Relay, host: Host) -> dict[str, str]:
    """Commands and headers changed on the way out: bounces leave in the name of the customer's address."""
    name, sender = re.escape(host.hostname), relay.sender.replace("$", "$$")
    return {
        "null_sender": f"/^MAIL FROM:<>(.*)$/ MAIL FROM:<{sender}>${{1}}\n",
        "own_name": f"/^From:.*@{name}\\b/ REPLACE From: Mail Delivery System <{sender}>\n",
    }


def _personal(mail: Mail, host: Host) -> str:
    """Addresses elsewhere, as the hidden address through which what is sent to them goes first."""
    own = "|".join(map(re.escape, own_domains(mail, host)))
    user, _, domain = addresses.personal(host).partition("@")
    return f'if !/@({own})$/\n/^([^@"]+)@([^@]+)$/ {user}+${{1}}=${{2}}@{domain}\nendif\n'


def _submitters(mail: Mail, host: Host, stops: list[Stop]) -> list[tuple[str, str]]:
    """What is done with mail that a signed-in mailbox submits, where it is not simply sent."""
    found = {box.address: SUSPENDED for box in mail.mailboxes if box.suspended}
    found |= {stop.mailbox: f"550 5.7.1 {stop.why}" for stop in stops if stop.mailbox not in found}
    found[host.canary_address] = f"FILTER {_way_of_the_canary(mail, host)}"
    return sorted(found.items())


def knows(stops: list[Stop], mail: Mail, host: Host) -> bool:
    """Whether the configuration in force is that of these stops."""
    try:
        return Path(MAPS, "submitters").read_text(encoding="utf-8") == addresses.lines(
            _submitters(mail, host, stops)
        )
    except OSError:
        return False


def without_way_out(files: list[File]) -> list[File]:
    """The same configuration with no way out: the last value of a parameter counts (postconf(5))."""
    more = text("postfix/no_relay") + text("postfix/withdrawn")
    return [
        replace(file, text=file.text + more) if file.path == "postfix/main.cf" else file
        for file in files
        if file.path != CREDENTIALS
    ]


def leaves_by(relay: Relay, host: Host) -> bool:
    """Whether the configuration in force sends by this way out."""
    password = _relay_password(relay, host)
    try:
        return Path(CURRENT, password.path).read_text(encoding="utf-8") == password.text
    except OSError:
        return False


def _way_of_the_canary(mail: Mail, host: Host) -> str:
    # Its address is here, and yet it must go out, so that it comes back as everybody's mail does.
    return f"smtp:[{mail.relay.host}]:{mail.relay.port}" if mail.relay else f"canary:{host.hostname}"


def _names(mail: Mail, host: Host) -> list[tuple[str, str]]:
    return [(name, f"{key}, {chain}") for name, (chain, key) in certificates(mail, host).items()]


PART = Part(
    name="postfix",
    files=files,
    links={
        "/etc/postfix/main.cf": "postfix/main.cf",
        "/etc/postfix/master.cf": "postfix/master.cf",
        "/etc/systemd/system/postfix.service.d/order.conf": "postfix/postfix.service.conf",
        "/etc/systemd/system/postfix.service.d/again.conf": "postfix/again.service.conf",
    },
    check=(("postfix", "check"),),
    reload=(("systemctl", "reload-or-restart", "postfix.service"), (*ME, "mailat_agent.mail.outbound")),
    units=("postfix.service",),
    given=(CREDENTIALS,),
    without=without_way_out,
)
