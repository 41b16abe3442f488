"""Dovecot: who may sign in, where mail is kept, and how much of it."""

import base64
import hashlib
import subprocess
from pathlib import Path

from . import addresses, sieve
from .part import CURRENT, STORE, File, Host, Part
from .state import Mail, Mailbox
from .templates import text

SLOTS = 8  # app passwords of a mailbox
DOOR_OF_MAILBOXES = 10029  # of Postfix, for what their scripts send
POSTMASTER_ROOM = 50 * 1024**2  # bytes for what is written to the host itself
CANARY_ROOM = 10 * 1024**2
VMAIL = 5000
ME = ("/usr/bin/env", "PYTHONPATH=/usr/local/lib/mailat/agent.pyz", "/usr/bin/python3", "-m")

COMPILED = "sieve"  # in Host.home: Dovecot's own, which it makes anew for the scripts of another generation
COMPILER = ("sievec", "-x", "+editheader")
# Compiled elsewhere: a generation is not written to once it is laid out.
TRY_SCRIPTS = f"""work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cp -R {CURRENT}/sieve "$work"
{" ".join(COMPILER)} "$work/sieve"
{" ".join(COMPILER)} "$work/sieve/mailboxes"
"""


def files(mail: Mail, host: Host) -> list[File]:
    """The configuration, the password files, and the scripts."""
    return [
        File("dovecot/dovecot.conf", _configuration(mail, host)),
        File("dovecot/again.service.conf", text("again.service.conf")),
        _secret("dovecot/users", _users(mail, host)),
        _secret("dovecot/passwords", _passwords(mail, host)),
        *(_secret(f"dovecot/app-{n + 1}", _app_passwords(mail, n)) for n in range(SLOTS)),
        *sieve.files(mail, host),
    ]


def _secret(path: str, body: str) -> File:
    return File(path, body, mode=0o640, group="dovecot")


def _configuration(mail: Mail, host: Host) -> str:
    chain, key = host.certificate(host.hostname)
    slots = [("own", "passwords"), *((f"app{n + 1}", f"app-{n + 1}") for n in range(SLOTS))]
    return text(
        "dovecot/dovecot.conf",
        hostname=host.hostname,
        postmaster=addresses.postmaster(host),
        own=" ".join(("127.0.0.1", "::1", *host.addresses)),
        passdbs="".join(text("dovecot/passdb", name=name, file=file) for name, file in slots),
        chain=chain,
        key=key,
        names=_names(mail, host),
    )


def _names(mail: Mail, host: Host) -> str:
    """The customers' own names, for as far as their certificates are there."""
    said = ""
    for name, (chain, key) in certificates(mail, host).items():
        said += text("dovecot/name", name=name, chain=chain, key=key)
    return said


def certificates(mail: Mail, host: Host) -> dict[str, tuple[Path, Path]]:
    """The chain and key of each customer's `mail.` name that has a certificate by now."""
    found = {f"mail.{domain.name}": host.certificate(domain.name) for domain in mail.domains}
    return {name: pair for name, pair in sorted(found.items()) if all(path.exists() for path in pair)}


def _users(mail: Mail, host: Host) -> str:
    rooms = {box.address: box.quota for box in mail.mailboxes}
    rooms |= {host.canary_address: CANARY_ROOM, addresses.postmaster(host): POSTMASTER_ROOM}
    homes = dict.fromkeys(addresses.canaries(mail), addresses.home(host.canary_address))
    homes |= {box.address: addresses.home(box.address, box.id) for box in mail.mailboxes}
    users = addresses.routes(mail, host).users
    return "".join(_user(user, homes.get(user) or addresses.home(user), rooms.get(user, 0)) for user in users)


def _user(address: str, home: str, room: int) -> str:
    fields = [f"userdb_script={sieve.script_name(address)}"]
    if room:
        fields += [f"userdb_quota_storage_size={room}B", f"userdb_door={DOOR_OF_MAILBOXES}"]
    return f"{address}::{VMAIL}:{VMAIL}::{home}::{' '.join(fields)}\n"


def _passwords(mail: Mail, host: Host) -> str:
    own = [_login(box, box.password) for box in mail.mailboxes if box.password]
    canary = f"{host.canary_address}:{salted(host.canary_password)}\n" if host.canary_password else ""
    return "".join(own) + canary


def _app_passwords(mail: Mail, place: int) -> str:
    holders = [box for box in mail.mailboxes if len(box.app_passwords) > place]
    return "".join(_login(box, box.app_passwords[place].hash) for box in holders)


def _login(box: Mailbox, password: str) -> str:
    # The right password of a suspended mailbox is answered with the reason; a wrong one like any other.
    return f"{box.address}:{password}" + ("::::::nologin" if box.suspended else "") + "\n"


def salted(password: str) -> str:
    """A random password as Dovecot's SSHA512, each time the same, so that a rendering can be compared with the last."""
    salt = hashlib.sha256(b"mailat-salt\n" + password.encode()).digest()[:16]
    return "{SSHA512}" + base64.b64encode(hashlib.sha512(password.encode() + salt).digest() + salt).decode()


def ready(_mail: Mail, host: Host) -> None:
    """The user that owns all mail, and the places where it and compiled scripts lie."""
    if subprocess.run(["getent", "passwd", "vmail"], capture_output=True).returncode != 0:
        command = ["useradd", "--uid", str(VMAIL), "--user-group", "--no-create-home", "--home-dir", STORE]
        subprocess.run([*command, "--shell", "/usr/sbin/nologin", "vmail"], check=True, capture_output=True)
    places = [STORE, str(host.home / COMPILED)]
    subprocess.run(["install", "-d", "-o", "vmail", "-g", "vmail", "-m", "0770", *places], check=True)


PART = Part(
    name="dovecot",
    files=files,
    links={
        "/etc/dovecot/dovecot.conf": "dovecot/dovecot.conf",
        "/etc/systemd/system/dovecot.service.d/again.conf": "dovecot/again.service.conf",
    },
    check=(("doveconf", "-n"), ("sh", "-euc", TRY_SCRIPTS)),
    reload=(
        ("systemctl", "reload-or-restart", "dovecot.service"),
        (*ME, "mailat_agent.mail.kick"),
    ),
    units=("dovecot.service",),
    ready=ready,
)
