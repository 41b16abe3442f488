"""On a real host: what strangers bring is judged by what it says of itself, and who guesses in webmail is kept out."""

import http.client
import re
import smtplib
import socket
import time
import urllib.parse
from collections.abc import Iterator
from email.utils import formatdate

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.internet.records import record
from tests.agent.mail.mail_host import HOSTNAME, SOON, MailHost, box, handed, mail_host
from tests.agent.mail.whole_host import WholeHost

BROWSER = 7  # the machine from which nobody else guesses

pytestmark = pytest.mark.root

ALICE = "alice@firm.test"
LINK = '<p>Sign in at <a href="http://shop.outside.test/in">https://www.paypal.com/signin</a>, please.</p>'
PAGE = "Content-Type: text/html; charset=utf-8\n"
PROGRAM = 'Content-Type: application/octet-stream; name="bill.pdf.exe"\nContent-Disposition: attachment; filename="bill.pdf.exe"\n'
Answer = tuple[int, dict[str, str], str]


@pytest.fixture(scope="module")
def host(whole: WholeHost) -> MailHost:
    """Alice's firm."""
    return mail_host(whole, mailboxes=[box(ALICE)])


def judged(host: MailHost, subject: str, fields: str, body: str, sign: bytes = b"") -> str:
    """What the server wrote above a stranger's mail, wherever it lies."""
    head = f"From: bank@bank.test\nTo: {ALICE}\nSubject: {subject}\nMessage-ID: <{subject}@bank.test>\n"
    raw = f"{head}Date: {formatdate()}\nMIME-Version: 1.0\n{fields}\n{body}\n".replace("\n", "\r\n").encode()
    signed = dkim.sign(raw, b"one", b"bank.test", sign) + raw if sign else raw

    def send() -> tuple[int, str]:
        with smtplib.SMTP(host.whole.address, 25, local_hostname="mx.outside.test", timeout=120) as door:
            return handed(door, signed, "bank@bank.test", ALICE)

    assert host.laptop(send) == (250, "")
    return found(host, subject)


def found(host: MailHost, subject: str) -> str:
    deadline = time.monotonic() + SOON
    while True:
        for folder in ("INBOX", "Junk"):
            if subject in host.subjects(ALICE, folder):
                return re.sub(r"\s+", " ", host.read(ALICE, subject, folder))
        assert time.monotonic() < deadline, subject
        time.sleep(0.2)


def test_a_link_that_shows_another_name_than_it_leads_to_is_seen(host: MailHost) -> None:
    assert "PHISHING(" in judged(host, "link", PAGE, LINK)
    assert "PHISHING(" not in judged(
        host, "honest", PAGE, LINK.replace("www.paypal.com", "shop.outside.test")
    )


def test_a_program_that_is_dressed_up_as_a_document_is_seen(host: MailHost) -> None:
    assert "MIME_DOUBLE_BAD_EXTENSION(" in judged(host, "program", PROGRAM, "TVqQAAMAAAAEAAAA")


def test_who_signed_and_what_the_authors_domain_wants_is_checked(host: MailHost) -> None:
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    txt = "v=DKIM1; k=rsa; p=" + "".join(public.decode().splitlines()[1:-1])
    host.names.add([record("one._domainkey.bank.test", "TXT", txt)])
    host.names.add([record("_dmarc.bank.test", "TXT", "v=DMARC1; p=quarantine")])
    host.names.add([record("bank.test", "TXT", "v=spf1 -all")])
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    said = judged(host, "signed", "", "Hello", private)

    assert "dkim=pass header.d=bank.test" in said
    assert "dmarc=pass" in said
    assert "spf=fail" in said
    assert "ARC-Seal: i=1;" in said

    forged = judged(host, "forged", "", "Hello")
    assert "dmarc=fail" in forged
    assert "DMARC_POLICY_QUARANTINE(" in forged


def ask(host: MailHost, method: str, path: str, form: str | None = None, **fields: str) -> Answer:
    """What a stranger's browser gets of webmail; raises OSError where it may not ask."""

    def ask() -> Answer:
        door = http.client.HTTPConnection(host.whole.address, 443, timeout=60)
        raw = socket.create_connection((host.whole.address, 443), timeout=60)
        door.sock = host.trusting.wrap_socket(raw, server_hostname=HOSTNAME)
        door.request(method, path, form, {"Host": HOSTNAME, **fields})
        answer = door.getresponse()
        told = {name.lower(): "\n".join(answer.headers.get_all(name) or ()) for name in answer.headers}
        return answer.status, told, answer.read().decode()

    return host.whole.at(BROWSER, ask)


def sign_in(host: MailHost, password: str) -> Answer:
    """By webmail's form."""
    _, fields, page = ask(host, "GET", "/")
    cookie = fields["set-cookie"].partition(";")[0]
    (token,) = re.findall(r'name="_token" value="([^"]+)"', page)
    form = {"_task": "login", "_action": "login", "_token": token, "_user": ALICE, "_pass": password}
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    return ask(host, "POST", "/?_task=login", urllib.parse.urlencode(form), **kind)


def test_at_rest_no_process_waits_for_webmail(host: MailHost) -> None:
    deadline = time.monotonic() + 120
    while (listed := host.whole.run("ps", "-o", "args=", "-C", "php-fpm8.4")).count("pool") > 0:
        assert time.monotonic() < deadline, listed
        time.sleep(1)
    looks = int(host.whole.wait(lambda mail: mail.get("probed_at"))["probed_at"])

    host.want()  # what an order changes is looked at at once
    assert host.whole.wait(lambda mail: mail["probed_at"] > looks)["probes"]["https"] == ""
    assert "pool" not in host.whole.run("ps", "-o", "args=", "-C", "php-fpm8.4")


@pytest.fixture
def strict(host: MailHost) -> Iterator[None]:
    """Three wrong passwords are enough, since each takes longer than the one before."""
    host.whole.run("fail2ban-client", "set", "dovecot", "maxretry", "3")
    yield
    host.whole.run("fail2ban-client", "set", "dovecot", "maxretry", "6")
    host.whole.run("fail2ban-client", "unban", "--all")


def ask_until_nobody_answers(host: MailHost) -> None:
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        ask(host, "GET", "/")
        time.sleep(0.2)


@pytest.mark.usefixtures("strict")
def test_who_guesses_in_webmail_is_kept_out_and_the_host_itself_never(host: MailHost) -> None:
    stranger = str(host.whole.hosts.network[BROWSER])
    assert [sign_in(host, "guess")[0] for _ in range(3)] == [401] * 3
    with pytest.raises(OSError):  # noqa: PT011 - nobody answers, in whatever way
        ask_until_nobody_answers(host)
    host.want()

    said = host.whole.wait(lambda mail: stranger in {ban["address"] for ban in mail["bans"]["latest"]})
    bans = said["bans"]["latest"]
    assert host.whole.address not in {ban["address"] for ban in bans}
    assert all(ban["until"] >= ban["at"] + 600 for ban in bans)

    host.whole.run("fail2ban-client", "unban", "--all")
    status, fields, _ = sign_in(host, "alice-secret")
    assert (status, "_task=mail" in fields["location"]) == (302, True)


def test_webmail_packs_several_attachments_into_one_file(host: MailHost) -> None:
    assert "zip" in host.whole.run("php", "-m").splitlines()
