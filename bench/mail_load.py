"""Load on the mail daemons of one host, made on that host: `run(...)` prints messages a second, in by LMTP and out of IMAP.

It is copied to the host, where there is nothing but Debian's Python.
"""

import json
import socket
import ssl
import sys
import threading
import time

TEXT = "This is a line of a letter that somebody wrote to somebody else.\r\n" * 60


def run(lmtp, name, authorities, users, each):
    """`users` are address and password; each gets `each` messages by a connection of its own."""
    deliver(lmtp, users, 20)
    inward = rate(len(users) * each, lambda: deliver(lmtp, users, each))
    outward = rate(len(users) * (each + 20), lambda: fetch(name, authorities, users, each + 20))
    print(json.dumps({"lmtp": inward, "imap": outward}))


def rate(count, work):
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


def together(work, users):
    """One thread for each user; a trouble of any ends the program."""
    troubles = []

    def go(user):
        try:
            work(*user)
        except Exception as trouble:
            troubles.append(f"{user[0]}: {trouble!r}")

    threads = [threading.Thread(target=go, args=[user]) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if troubles:
        sys.exit("; ".join(troubles))


def deliver(path, users, each):
    together(lambda address, _password: _deliver(path, address, each), users)


def _deliver(path, address, each):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        lines = sock.makefile("rb")
        _demand(lines, b"220")
        _ask(sock, lines, b"LHLO bench.test", b"250")
        for number in range(each):
            _ask(sock, lines, b"MAIL FROM:<carol@outside.test>", b"250")
            _ask(sock, lines, f"RCPT TO:<{address}>".encode(), b"250")
            _ask(sock, lines, b"DATA", b"354")
            _ask(sock, lines, letter(address, number), b"250")
        _ask(sock, lines, b"QUIT", b"221")


def letter(address, number):
    head = f"From: carol@outside.test\r\nTo: {address}\r\nSubject: letter {number}\r\n"
    return f"{head}Message-ID: <{number}.{time.time_ns()}@outside.test>\r\n\r\n{TEXT}.".encode()


def _ask(sock, lines, words, start):
    sock.sendall(words + b"\r\n")
    _demand(lines, start)


def _demand(lines, start):
    line = lines.readline()
    while line[3:4] == b"-":
        line = lines.readline()
    if not line.startswith(start):
        raise OSError(f"it answers {line!r}")


def fetch(name, authorities, users, each):
    context = ssl.create_default_context(cafile=authorities or None)
    together(lambda user, password: _fetch(context, name, user, password, each), users)


def _fetch(context, name, user, password, each):
    with (
        socket.create_connection(("127.0.0.1", 993)) as plain,
        context.wrap_socket(plain, server_hostname=name) as sock,
    ):
        lines = sock.makefile("rb")
        _until(lines, b"* OK")
        sock.sendall(f'a LOGIN "{user}" "{password}"\r\n'.encode())
        _until(lines, b"a OK")
        sock.sendall(b"b SELECT INBOX\r\n")
        _until(lines, b"b OK")
        sock.sendall(b"c FETCH 1:* (FLAGS BODY.PEEK[])\r\n")
        if (found := _messages(lines)) != each:
            raise OSError(f"{found} messages instead of {each}")


def _messages(lines):
    found = 0
    while not (line := lines.readline()).startswith(b"c "):
        if line.endswith(b"}\r\n"):
            size = int(line[line.rindex(b"{") + 1 : -3])
            if len(lines.read(size)) != size:
                raise OSError("a message is cut off")
            found += 1
        elif not line:
            raise OSError("it hangs up")
    if not line.startswith(b"c OK"):
        raise OSError(f"it answers {line!r}")
    return found


def _until(lines, start):
    while not (line := lines.readline()).startswith(start):
        if not line or line[:2] in (b"a ", b"b "):
            raise OSError(f"it answers {line!r}")
