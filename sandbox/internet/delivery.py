"""How mail goes from one machine to another: to the recipient's MX, by SMTP, encrypted where the other side can."""

from __future__ import annotations

import contextlib
import dataclasses
import smtplib
import socket
import ssl

from sandbox.hosts.debian.machines import Machine
from sandbox.internet.headers import domain
from sandbox.internet.names import Names
from sandbox.internet.outcome import Outcome

__all__ = ["Courier", "Outcome", "exchangers"]

PORT = 25
TIMEOUT = 60.0  # seconds for any answer; a server under load scans before it accepts
UNREACHABLE, NO_SUCH_DOMAIN, NO_MAIL_THERE = 451, 550, 556
CONNECT_TIMEOUT = 10.0


@dataclasses.dataclass(frozen=True)
class Courier:
    """Who brings mail: the machine it starts from and the name by which it greets."""

    machine: Machine
    names: Names
    helo: str

    def deliver(self, sender: str, recipients: list[str], raw: bytes) -> list[Outcome]:
        """One outcome for each recipient, in their order; never raises for what others do."""
        by_domain: dict[str, list[str]] = {}
        for recipient in dict.fromkeys(recipients):
            by_domain.setdefault(domain(recipient), []).append(recipient)
        outcomes = {
            outcome.recipient: outcome
            for name, theirs in by_domain.items()
            for outcome in self._to_domain(name, sender, theirs, raw)
        }
        return [outcomes[recipient] for recipient in dict.fromkeys(recipients)]

    def _to_domain(self, name: str, sender: str, recipients: list[str], raw: bytes) -> list[Outcome]:
        servers = exchangers(self.names, name)
        if isinstance(servers, str):
            code = NO_MAIL_THERE if servers == NULL_MX else NO_SUCH_DOMAIN
            return [Outcome(each, code, servers) for each in recipients]
        outcomes = [
            Outcome(each, UNREACHABLE, f"{name} has no mail server with an address") for each in recipients
        ]
        for server, address in servers:
            outcomes = self._to_server(server, address, sender, recipients, raw)
            if not all(outcome.code == UNREACHABLE for outcome in outcomes):
                break
        return outcomes

    def _to_server(
        self, server: str, address: str, sender: str, recipients: list[str], raw: bytes
    ) -> list[Outcome]:
        client = _Client(self.machine, self.helo)
        tls = ""
        try:
            client.call(server, address)
            tls = _encrypt(client)
            return [
                dataclasses.replace(one, server=server, tls=tls)
                for one in _hand_over(client, sender, recipients, raw)
            ]
        except smtplib.SMTPResponseException as problem:
            return [
                Outcome(each, problem.smtp_code, _words(problem.smtp_error), server, tls)
                for each in recipients
            ]
        except (OSError, smtplib.SMTPException) as problem:
            return [
                Outcome(each, UNREACHABLE, f"{server} [{address}]: {problem}", server, tls)
                for each in recipients
            ]
        finally:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                client.quit()
            client.close()


NULL_MX = "the domain takes no mail (null MX)"


def exchangers(names: Names, name: str) -> list[tuple[str, str]] | str:
    """Names and addresses of the servers for a domain's mail, in the order to be tried, or why there are none."""
    answer = names.lookup(name, "MX")
    if not answer.exists:
        return f"the domain {name or '(none)'} does not exist"
    wishes = sorted((int(value.split()[0]), value.split()[1]) for value in answer.values("MX"))
    if any(target == "." for _, target in wishes):
        return NULL_MX
    targets = [target.rstrip(".").lower() for _, target in wishes] or [name]
    found = [(target, address) for target in targets for address in names.lookup(target, "A").values("A")]
    return found if found or wishes else f"the domain {name} has neither a mail server nor an address"


class _Client(smtplib.SMTP):
    """Connects from another machine's network, and asks for the server by its name in TLS."""

    def __init__(self, machine: Machine, helo: str) -> None:
        super().__init__(local_hostname=helo, timeout=CONNECT_TIMEOUT)
        self._machine = machine

    def call(self, server: str, address: str) -> None:
        """Raises what smtplib raises when it is not welcome."""
        self._host = server
        code, words = self.connect(address, PORT)
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)
        if self.sock:
            self.sock.settimeout(TIMEOUT)
        self.ehlo_or_helo_if_needed()

    def _get_socket(self, host: str, port: int, timeout: float | None) -> socket.socket:
        return self._machine.inside(lambda: socket.create_connection((host, port), timeout))


def _encrypt(client: _Client) -> str:
    """The version of TLS, or nothing where the server has none; nobody is authenticated, as between strangers."""
    if not client.has_extn("starttls"):
        return ""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client.starttls(context=context)
    client.ehlo()
    return client.sock.version() or "" if isinstance(client.sock, ssl.SSLSocket) else ""


def _hand_over(client: _Client, sender: str, recipients: list[str], raw: bytes) -> list[Outcome]:
    options = [f"size={len(raw)}"] if client.has_extn("size") else []
    options += ["BODY=8BITMIME"] if client.has_extn("8bitmime") else []
    options += ["SMTPUTF8"] if client.has_extn("smtputf8") and not f"{sender}{recipients}".isascii() else []
    code, said = client.mail(sender, options)
    if code != 250:
        return [Outcome(each, code, _words(said)) for each in recipients]
    outcomes = {
        each: Outcome(each, answer[0], _words(answer[1]))
        for each in recipients
        for answer in [client.rcpt(each)]
    }
    if taken := [each for each in recipients if outcomes[each].ok]:
        code, said = client.data(raw)
        outcomes |= {each: Outcome(each, code, _words(said)) for each in taken}
    return list(outcomes.values())


def _words(said: bytes | str) -> str:
    return " ".join((said.decode("utf-8", "replace") if isinstance(said, bytes) else said).split())
