"""The chore that gets certificates and renews them: one for the host's own name and one for each customer's domain."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..files import write_whole
from . import acme, packages, pointing, selfsigned, tls
from .attempts import Attempts
from .chore import Chore, Situation
from .part import Host
from .state import Mail

SERVICES = ("mail", "webmail", "autoconfig", "autodiscover", "mta-sts")  # the names below a customer's domain
LONGEST_NAME = 253
MISSING, WAITING, RESTING = 20.0, 60.0, 3600.0  # seconds between turns
AT_A_TIME = 60.0  # seconds of one turn, so that other chores get theirs
LOADED = "loaded"  # beside the numbered folders: the number that the daemons have loaded
PATIENCE = 60.0  # seconds
PAUSE = 0.1  # seconds between two looks for the web server
RELOAD = ("systemctl", "try-reload-or-restart", "nginx.service", "postfix.service", "dovecot.service")


@dataclass(frozen=True)
class Wanted:
    """One certificate: the name it is kept under, and the names that should be in it."""

    name: str
    names: tuple[str, ...]


def wanted(mail: Mail, host: Host) -> Iterator[Wanted]:
    """The host's own certificate first, because mail does not work without it."""
    yield Wanted(host.hostname, (host.hostname,))
    for domain in mail.domains:
        names = tuple(f"{service}.{domain.name}" for service in SERVICES)
        yield Wanted(
            domain.name, tuple(name for name in names if len(name) <= LONGEST_NAME and name != host.hostname)
        )


def run(situation: Situation) -> dict[str, Any]:
    """One turn: put in force what is there, order what is due, and say how things are."""
    host = situation.host
    _await_web_server(situation)
    attempts, each = Attempts(host.home), list(wanted(situation.mail, host))
    here = pointing.here({name for one in each for name in one.names}, host.addresses)
    ends = time.monotonic() + AT_A_TIME
    troubles = []
    for one in each:
        if time.monotonic() > ends:
            CHORE.knock()
            break
        troubles.append(_tend(situation, one, here, attempts))
    troubles.append(_load(situation, [one.name for one in each]))
    reports = [_report(situation, one, here, attempts) for one in each]
    reports[0]["error"] = "; ".join(dict.fromkeys(filter(None, (reports[0]["error"], *troubles))))
    return {"certificates": reports}


def _await_web_server(situation: Situation) -> None:
    """A generation that is coming into force may bring what an order needs; for its other daemons no order waits."""
    host = situation.host
    while situation.busy.locked():
        if tls.in_force(host.home, host.hostname) is not None and acme.served(host.home):
            return
        time.sleep(PAUSE)
    with situation.busy:
        selfsigned.ensure(host)


def _tend(situation: Situation, one: Wanted, here: frozenset[str], attempts: Attempts) -> str:
    """Order what is due and possible; what is wrong with this host, or nothing."""
    home, now = situation.host.home, time.time()
    tls.adopt(home, one.name)
    names = _possible(situation, one, here, attempts, now)
    if not names:
        return ""
    if not due(situation.host, one.name, names, now):
        attempts.succeeded(
            _whole(situation, one.name)
        )  # also if it only seemed to have failed, by a clock that was wrong
        return ""
    if attempts.pause(_whole(situation, one.name), now) or packages.changing(packages.ORDERING):
        return ""
    if not acme.served(home):
        return "certificates wait for the web server, which does not answer on port 80"
    _order(situation, one.name, names, attempts)
    return ""


def _possible(
    situation: Situation, one: Wanted, here: frozenset[str], attempts: Attempts, now: float
) -> list[str]:
    """The names that lead here and are not resting after a failure."""
    return [name for name in one.names if name in here and not attempts.pause(_single(situation, name), now)]


def due(host: Host, name: str, names: list[str], now: float) -> bool:
    """Whether there is none yet, a third of its life or less is left, a name is missing, or nobody trusts it."""
    certificate = tls.in_force(host.home, name)
    if certificate is None or certificate.number == 0 or not set(names) <= set(certificate.names):
        return True
    return now >= renewal(certificate) or bool(tls.why_not_trusted(host.home, name, certificate.names[0]))


def renewal(certificate: tls.Certificate) -> float:
    """When to renew, in seconds since 1970: with a third of the life left, whatever its length."""
    return certificate.until - (certificate.until - certificate.begins) / 3


def _order(situation: Situation, name: str, names: list[str], attempts: Attempts) -> None:
    home, now = situation.host.home, time.time()
    try:
        acme.order(home, situation.mail.acme, tls.begin(home, name, names))
    except acme.Refused as refused:
        about = {single: why for single, why in refused.names.items() if single in names}
        for single, why in about.items():
            attempts.failed(_single(situation, single), why, now)
        if not about:
            attempts.failed(_whole(situation, name), refused.why, now, refused.after)
        return
    tls.adopt(home, name)
    attempts.succeeded(*(_single(situation, each) for each in names))
    if why := tls.why_not_trusted(home, name, names[0]):
        attempts.failed(_whole(situation, name), f"it was issued, but is not trusted: {why}", now)
    else:
        attempts.succeeded(_whole(situation, name))


def _load(situation: Situation, names: list[str]) -> str:
    """Let the daemons load what is in force, also what a killed process put there; what went wrong, or nothing."""
    home = situation.host.home
    fresh = [name for name in names if _in_force(situation, name) not in ("0", _loaded(situation, name))]
    if not fresh:
        return ""
    situation.changed()
    try:
        with situation.busy:
            subprocess.run(RELOAD, check=True, capture_output=True, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError):
        return "a new certificate lies ready, but not every daemon loaded it; it is tried again"
    for name in fresh:
        write_whole(tls.kept(home, name) / LOADED, _in_force(situation, name))
    return ""


def _in_force(situation: Situation, name: str) -> str:
    certificate = tls.in_force(situation.host.home, name)
    return str(certificate.number) if certificate else ""


def _loaded(situation: Situation, name: str) -> str:
    try:
        return (tls.kept(situation.host.home, name) / LOADED).read_text(encoding="ascii")
    except OSError:
        return ""


def _single(situation: Situation, name: str) -> str:
    return f"name {name} at {situation.mail.acme.directory}"


def _whole(situation: Situation, name: str) -> str:
    return f"certificate {name} at {situation.mail.acme.directory}"


def _report(situation: Situation, one: Wanted, here: frozenset[str], attempts: Attempts) -> dict[str, Any]:
    home, certificate = situation.host.home, tls.in_force(situation.host.home, one.name)
    issued = certificate if certificate and certificate.number > 0 else None
    distrust = tls.why_not_trusted(home, one.name, issued.names[0]) if issued else ""
    trusted = issued if not distrust else None
    return {
        "name": one.name,
        "until": int(trusted.until) if trusted else 0,
        "issuer": issued.issuer if issued else "",
        "names": sorted(trusted.names) if trusted else [],
        "waiting": [name for name in one.names if name not in here],
        "error": _error(situation, one, attempts, distrust),
    }


def _error(situation: Situation, one: Wanted, attempts: Attempts, distrust: str) -> str:
    single = [(name, attempts.why(_single(situation, name))) for name in one.names]
    said = [attempts.why(_whole(situation, one.name)), *(f"{name}: {why}" for name, why in single if why)]
    if distrust and not any(said):
        said.append(f"the certificate is not trusted: {distrust}")
    return "; ".join(filter(None, said))


def every(situation: Situation) -> float:
    """Seconds until the next turn: soon where a name waits or failed or its renewal is near, else an hour."""
    attempts, now = Attempts(situation.host.home), time.time()
    return max(
        MISSING,
        min(
            [
                RESTING,
                *(_next(situation, one, attempts, now) for one in wanted(situation.mail, situation.host)),
            ]
        ),
    )


def _next(situation: Situation, one: Wanted, attempts: Attempts, now: float) -> float:
    certificate = tls.in_force(situation.host.home, one.name)
    if certificate is None or certificate.number == 0:
        return MISSING if one.name == situation.host.hostname else WAITING
    if missing := set(one.names) - set(certificate.names):
        return min(attempts.pause(_single(situation, name), now) or WAITING for name in missing)
    return max(renewal(certificate) - now, attempts.pause(_whole(situation, one.name), now))


CHORE = Chore(name="certificates", every=every, run=run)
