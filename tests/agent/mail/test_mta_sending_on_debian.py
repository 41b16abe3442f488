"""On a real host: mail leaves by the customer's way out, signed, in nobody else's name, and within limits."""

import time
from email import message_from_bytes
from email.message import Message

import dkim
import pytest

from tests.agent.mail.mail_host import SOON, MailHost, box, mail_host, secret
from tests.agent.mail.whole_host import WholeHost

pytestmark = pytest.mark.root

ALICE, BOB, BUSY, FAR = (f"{name}@firm.test" for name in ("alice", "bob", "busy", "far"))
CAROL = "carol@outside.test"


@pytest.fixture(scope="module")
def host(whole: WholeHost) -> MailHost:
    """Alice's firm before it has a way out."""
    boxes = [
        box(ALICE),
        box(BOB),
        box(BUSY, per_hour=3, per_day=20),
        box(FAR, forward=[CAROL], vacation=None),
        box("away@firm.test", vacation={"subject": "", "text": "Away", "begins": None, "ends": None}),
    ]
    aliases = [
        {"address": "sales@firm.test", "targets": [ALICE]},
        {"address": "press@firm.test", "targets": [BOB, CAROL]},
    ]
    return mail_host(whole, mailboxes=boxes, aliases=aliases)


def said_from(raw: bytes) -> Message:
    return message_from_bytes(raw)


def test_without_a_way_out_mail_waits_and_says_why_and_leaves_when_there_is_one(host: MailHost) -> None:
    assert host.submit(ALICE, CAROL, "Patience") == (250, "")
    deadline = time.monotonic() + SOON
    while "Sending is not set up yet" not in host.queue():
        assert time.monotonic() < deadline, host.queue()
        time.sleep(0.2)

    host.want(relay=host.relay())
    host.arrived(CAROL, "Patience")
    host.wait_left(CAROL)


def test_what_leaves_is_signed_by_its_authors_domain(host: MailHost) -> None:
    host.publish_key()
    assert host.submit(ALICE, CAROL, "Signed", port=465) == (250, "")
    raw = host.arrived(CAROL, "Signed")

    def txt(name: bytes | str, timeout: int = 5) -> bytes:
        asked = (name.decode() if isinstance(name, bytes) else name).rstrip(".")
        (value,) = host.names.lookup(asked, "TXT").values("TXT")
        return "".join(value.split('"')[1::2]).encode()

    signatures = [line for line in said_from(raw).get_all("DKIM-Signature", []) if "d=firm.test" in line]
    assert len(signatures) == 1
    places = [
        n for n, line in enumerate(said_from(raw).get_all("DKIM-Signature", [])) if "d=firm.test" in line
    ]
    assert dkim.DKIM(raw).verify(idx=places[0], dnsfunc=txt)


@pytest.mark.parametrize("sender", [BOB, "press@firm.test", CAROL, "alice@post.servers.test"])
def test_a_mailbox_cannot_send_as_somebody_else(host: MailHost, sender: str) -> None:
    code, said = host.submit(ALICE, CAROL, sender=sender)

    assert (code, "not owned by user" in said) == (553, True)


def test_a_mailbox_sends_as_the_aliases_that_lead_to_it(host: MailHost) -> None:
    assert host.submit(ALICE, CAROL, "As sales", sender="sales@firm.test") == (250, "")

    assert said_from(host.arrived(CAROL, "As sales"))["From"] == "sales@firm.test"


def test_forwarded_mail_leaves_as_the_forwarders_and_the_kept_copy_stays_as_it_came(host: MailHost) -> None:
    author = '"Doe, Jane" <jane@elsewhere.test>'
    assert host.write(FAR, "Forward this", sender="jane@elsewhere.test", author=author) == (250, "")
    left = said_from(host.arrived(CAROL, "Forward this"))

    assert left["From"] == '"jane at elsewhere.test via firm.test" <far@firm.test>'
    assert left["Reply-To"] == "jane@elsewhere.test"
    assert 'From: "Doe, Jane" <jane@elsewhere.test>' in host.read(FAR, "Forward this")


def test_the_bounce_of_forwarded_mail_finds_its_way_back(host: MailHost) -> None:
    assert host.write("press@firm.test", "For the press", sender="jane@elsewhere.test") == (250, "")
    host.arrived(CAROL, "For the press")
    log = host.whole.run("journalctl", "-u", "postfix", "--no-pager", "-o", "cat")
    (sender,) = {
        word[6:-2]
        for line in log.splitlines()
        for word in line.split()
        if word.startswith("from=<SRS0=") and "=elsewhere.test=" in word
    }

    assert sender.endswith("=elsewhere.test=jane@firm.test")
    assert host.write(sender, "Could not be delivered", sender="") == (250, "")
    deadline = time.monotonic() + SOON
    while "to=<jane@elsewhere.test>" not in host.whole.run("journalctl", "-u", "postfix", "--no-pager"):
        assert time.monotonic() < deadline
    code, said = host.write(sender.replace("SRS0=", "SRS0=x"), sender="")
    assert code == 550, said


def test_a_stranger_who_claims_to_be_one_of_us_is_not_forwarded_under_our_name(host: MailHost) -> None:
    assert host.write("press@firm.test", "Pay this", author=f"Alice <{ALICE}>") == (250, "")
    left = said_from(host.arrived(CAROL, "Pay this"))

    assert left["From"] == '"Alice via firm.test" <press@firm.test>'

    assert host.submit(ALICE, "press@firm.test", "Really") == (250, "")
    assert said_from(host.arrived(CAROL, "Really"))["From"] == ALICE


def test_automatic_answers_and_bounces_have_a_sender_that_the_way_out_takes(host: MailHost) -> None:
    assert host.write("away@firm.test", "Anybody there") == (250, "")

    answer = said_from(host.arrived(CAROL, "Auto: Anybody there"))
    assert answer["From"] == "away@firm.test"


def test_a_mailbox_at_its_hourly_limit_is_put_off_and_one_that_keeps_on_is_stopped_alone(
    host: MailHost,
) -> None:
    answers = [host.submit(BUSY, ALICE, f"Number {n}") for n in range(12)]
    codes = [code for code, _ in answers]

    assert codes[:4] == [250, 250, 250, 450]
    assert "hourly limit" in answers[3][1]
    assert (codes[-1], "was stopped" in answers[-1][1]) == (550, True)
    assert host.submit(ALICE, BOB, "Not me") == (250, "")
    stopped = host.whole.wait(lambda mail: mail.get("stopped"))["stopped"]
    assert [(each["mailbox"], each["releases"]) for each in stopped] == [(BUSY, 0)]


def test_a_stopped_mailbox_reads_on_and_sends_again_when_its_owner_lifts_it(host: MailHost) -> None:
    host.imap(BUSY, lambda door: door.noop())
    assert host.submit(BUSY, ALICE)[0] == 550
    host.mailbox(BUSY, releases=1)
    host.whole.wait(lambda mail: mail.get("stopped") == [])

    assert host.submit(BUSY, ALICE, "Again") == (250, "")
    host.read(ALICE, "Again")


def test_credentials_stand_in_one_file_that_only_root_reads(host: MailHost) -> None:
    said = host.whole.run(
        "sh",
        "-c",
        "cat /etc/mailat/mail/postfix/relay_password; stat -Lc %a:%U /etc/mailat/mail/postfix/relay_password",
    )
    credentials, mode = said.splitlines()
    password = credentials.split()[1].partition(":")[2]

    assert mode == "600:root"
    host.whole.put("/root/password", password)
    search = "grep -rlF -f /root/password /etc /var/log /var/lib/mailat /run 2>/dev/null; true"
    found = host.whole.run("sh", "-c", search)
    assert {line.rpartition("/")[2] for line in found.splitlines()} == {"relay_password"}
    assert secret(ALICE) not in host.whole.run("journalctl", "--no-pager")
