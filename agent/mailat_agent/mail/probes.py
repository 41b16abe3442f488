"""Whether each door of the mail system answers as its protocol says, asked on the host itself."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from cryptography import x509

from .commands import without_secrets
from .part import Host

HERE = "127.0.0.1"
PATIENCE = 5.0  # seconds for each answer
SMTP, HTTPS, SUBMISSIONS, SUBMISSION, IMAPS, SIEVE = 25, 443, 465, 587, 993, 4190
LMTP = "/var/spool/postfix/private/dovecot-lmtp"
LONGEST = 1024  # bytes of a line
PAGE, STILL = b"/", b"/robots.txt"  # by PHP, which begins a process for it, and by the web server alone
WEBMAIL_LASTS = 600.0  # seconds for which a page that came is proof enough


class Wrong(Exception):
    """What a door said that it should not have said; the text is for people."""


class Webmail:
    """When webmail last answered, by the monotonic clock, so that a host at rest has no PHP in memory."""

    answered = float("-inf")


def forget() -> None:
    """What answered before proves nothing from now on: something was changed, or is wrong."""
    Webmail.answered = float("-inf")


def look(host: Host, names: Iterable[str] | None = None) -> dict[str, str]:
    """By door, what is wrong with it, or "" if nothing is; of all doors unless some are named."""
    wanted = [name for name in (PROBES if names is None else names) if name in PROBES]
    with ThreadPoolExecutor(max_workers=len(PROBES)) as pool:
        return dict(zip(wanted, pool.map(lambda name: _why(PROBES[name], host), wanted), strict=True))


def _why(probe: Callable[[Host], None], host: Host) -> str:
    try:
        probe(host)
    except Wrong as wrong:
        return without_secrets(str(wrong))
    except TimeoutError:
        return f"no answer within {PATIENCE:.0f} s"
    except (EOFError, ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
        return "it hangs up"
    except ssl.SSLError as trouble:
        return without_secrets(f"no TLS: {trouble.reason}")
    except OSError as trouble:
        return f"nobody answers: {trouble.strerror}"
    return ""


def _smtp(host: Host) -> None:
    with socket.create_connection((HERE, SMTP), PATIENCE) as sock:
        _expect(sock, b"220")
        _ehlo(sock, host)
        _part(sock, b"QUIT\r\n")


def _submission(host: Host) -> None:
    with socket.create_connection((HERE, SUBMISSION), PATIENCE) as plain:
        _expect(plain, b"220")
        if "STARTTLS" not in _ehlo(plain, host):
            raise Wrong("it does not offer STARTTLS")
        plain.sendall(b"STARTTLS\r\n")
        _expect(plain, b"220")
        with _wrapped(plain, host.hostname) as sock:
            _demand_login(sock, host)


def _submissions(host: Host) -> None:
    with _tls(SUBMISSIONS, host.hostname) as sock:
        _expect(sock, b"220")
        _demand_login(sock, host)


def _demand_login(sock: socket.socket, host: Host) -> None:
    if "AUTH" not in _ehlo(sock, host):
        raise Wrong("nobody can sign in: it does not offer AUTH")
    _part(sock, b"QUIT\r\n")


def _ehlo(sock: socket.socket, host: Host) -> set[str]:
    """The extensions that it offers."""
    sock.sendall(b"EHLO " + host.hostname.encode("ascii") + b"\r\n")
    lines = [_expect(sock, b"250")]
    while lines[-1][3:4] == b"-":
        lines.append(_expect(sock, b"250"))
    return {line[4:].split(b" ")[0].decode("ascii", "replace").upper() for line in lines[1:]}


def _imaps(host: Host) -> None:
    with _tls(IMAPS, host.hostname) as sock:
        _expect(sock, b"* OK")
        sock.sendall(b"a CAPABILITY\r\n")
        if b" IMAP4rev1" not in _expect(sock, b"* CAPABILITY"):
            raise Wrong("it does not offer IMAP4rev1")
        _part(sock, b"b LOGOUT\r\n")


def _sieve(host: Host) -> None:
    with socket.create_connection((HERE, SIEVE), PATIENCE) as sock:
        _expect(sock, b'"')
        _part(sock, b"LOGOUT\r\n")


def _https(host: Host) -> None:
    if time.monotonic() - Webmail.answered < WEBMAIL_LASTS:
        _ask(host, STILL)
        return
    _ask(host, PAGE)
    Webmail.answered = time.monotonic()


def _ask(host: Host, page: bytes) -> None:
    with _tls(HTTPS, host.hostname) as sock:
        name = host.hostname.encode("ascii")
        sock.sendall(b"HEAD " + page + b" HTTP/1.1\r\nHost: " + name + b"\r\nConnection: close\r\n\r\n")
        status = _expect(sock, b"HTTP/1.")
        if status[9:10] == b"5":
            raise Wrong(f"it answers {status[9:].decode('ascii', 'replace')}")


def _lmtp(host: Host) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE)
        sock.connect(LMTP)
        _expect(sock, b"220 ")
        _part(sock, b"QUIT\r\n")


def _part(sock: socket.socket, words: bytes) -> None:
    """Leave as one should, or the daemon writes to its log that somebody hung up."""
    sock.sendall(words)
    while sock.recv(LONGEST):
        pass


def _tls(port: int, name: str) -> ssl.SSLSocket:
    return _wrapped(socket.create_connection((HERE, port), PATIENCE), name)


def _wrapped(plain: socket.socket, name: str) -> ssl.SSLSocket:
    try:
        sock = _context().wrap_socket(plain, server_hostname=name)
        _demand_name(sock, name)
    except BaseException:
        plain.close()
        raise
    return sock


def _context() -> ssl.SSLContext:
    # Whether the certificate is one that others accept is watched where certificates are: here a door must have one.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _demand_name(sock: ssl.SSLSocket, name: str) -> None:
    raw = sock.getpeercert(binary_form=True)
    if raw is None:
        raise Wrong("it has no certificate")
    names = _names(x509.load_der_x509_certificate(raw))
    if name not in names:
        raise Wrong(f"its certificate is for {', '.join(sorted(names)) or 'nobody'}")


def _names(certificate: x509.Certificate) -> set[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return set()
    return set(found.value.get_values_for_type(x509.DNSName))


def _expect(sock: socket.socket, start: bytes) -> bytes:
    """The next line, which must begin so; read byte by byte, so that nothing of what follows is lost."""
    line = b""
    while not line.endswith(b"\n") and len(line) < LONGEST:
        byte = sock.recv(1)
        if not byte:
            raise EOFError
        line += byte
    if not line.startswith(start):
        raise Wrong(f"it answers {line.decode('utf-8', 'replace').strip()}")
    return line.strip()


PROBES: dict[str, Callable[[Host], None]] = {
    "smtp": _smtp,
    "submission": _submission,
    "submissions": _submissions,
    "imaps": _imaps,
    "sieve": _sieve,
    "https": _https,
    "lmtp": _lmtp,
}
