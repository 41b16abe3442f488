"""On a real host: mail from strangers is received, sorted, kept and served, and nothing that should not be."""

import imaplib
import smtplib
import time

import pytest

from tests.agent.mail.mail_host import GTUBE, SOON, MailHost, box, hashed, mail_host, secret
from tests.agent.mail.whole_host import WholeHost

pytestmark = pytest.mark.root

ALICE, BOB, FULL, AWAY, GONE = (f"{name}@firm.test" for name in ("alice", "bob", "full", "away", "gone"))
PHONE = "phone-secret"


@pytest.fixture(scope="module")
def host(whole: WholeHost) -> MailHost:
    """Alice's firm: a catch-all, aliases, somebody away, somebody suspended, and a full mailbox."""
    vacation = {
        "subject": 'Away "now" ${1}',
        "text": 'I am "away".\n${dollar} \\.',
        "begins": None,
        "ends": None,
    }
    boxes = [
        box(ALICE, app_passwords=[{"id": "phone", "hash": hashed(PHONE)}]),
        box(BOB),
        box(FULL, quota=50_000),
        box(AWAY, vacation=vacation),
        box(GONE, suspended=True),
        box("ring-a@firm.test", forward=["ring-b@firm.test"], keep_copy=False),
        box("ring-b@firm.test", forward=["ring-a@firm.test"], keep_copy=False),
    ]
    return mail_host(
        whole,
        domains=[{"name": "firm.test", "catch_all": BOB, "mta_sts": "none"}],
        mailboxes=boxes,
        aliases=[
            {"address": "sales@firm.test", "targets": [ALICE, "team@firm.test"]},
            {"address": "team@firm.test", "targets": [BOB, "sales@firm.test"]},
        ],
    )


def test_mail_for_a_mailbox_is_in_its_inbox_with_what_was_found_out_of_its_sender(host: MailHost) -> None:
    assert host.write(ALICE, "First") == (250, "")
    assert "spf=fail (post.servers.test: domain of carol@outside.test does not" in host.read(ALICE, "First")


def test_an_alias_reaches_all_behind_it_and_a_ring_of_aliases_ends(host: MailHost) -> None:
    assert host.write("team@firm.test", "To all") == (250, "")
    host.read(ALICE, "To all")
    host.read(BOB, "To all")
    assert host.subjects(BOB).count("To all") == 1


def test_a_catch_all_takes_what_nobody_else_has_and_nothing_more(host: MailHost) -> None:
    assert host.write("whoever@firm.test", "For whoever") == (250, "")
    assert host.write("alice+shop@firm.test", "For the shop") == (250, "")

    host.read(BOB, "For whoever")
    host.read(ALICE, "For the shop")
    assert "For the shop" not in host.subjects(BOB)


@pytest.mark.parametrize(
    "to",
    [
        "carol@outside.test",
        "carol%outside.test@firm.test",
        "carol@outside.test@firm.test",
        "@firm.test:carol@outside.test",
        "outside.test!carol",
        "nobody@post.servers.test",
    ],
)
def test_strangers_cannot_send_through_it(host: MailHost, to: str) -> None:
    code, said = host.write(to)

    assert 500 <= code < 600, said


def test_strangers_learn_no_addresses_and_get_no_door_to_sign_in_without_tls(host: MailHost) -> None:
    def ask() -> tuple[int, int, bool, bool]:
        with smtplib.SMTP(host.whole.address, 25, timeout=120) as door:
            door.ehlo("mx.outside.test")
            verified, expanded = door.verify(ALICE)[0], door.expn("sales")[0]
            offered = door.has_extn("auth")
        with smtplib.SMTP(host.whole.address, 587, timeout=120) as door:
            door.ehlo("mx.outside.test")
            return verified, expanded, offered, door.has_extn("auth")

    verified, expanded, *offered = host.laptop(ask)
    assert (verified, expanded in (500, 502), offered) == (502, True, [False, False])


def test_the_test_mail_for_spam_filters_is_taken_and_lies_in_junk(host: MailHost) -> None:
    assert host.write(ALICE, "Buy this", GTUBE) == (250, "")

    host.read(ALICE, "Buy this", "Junk")
    assert "Buy this" not in host.subjects(ALICE)


def test_a_full_mailbox_says_so_while_the_sender_listens(host: MailHost) -> None:
    for number in range(2):
        assert host.write(FULL, f"Large {number}", "x" * 70 * 300)[0] == 250
        host.read(FULL, f"Large {number}")

    assert host.write(FULL, "Too much", "x" * 70 * 300)[0] == 552
    code, said = host.submit(BOB, FULL, "Too much", "x" * 70 * 300)
    assert (code, "This mailbox is full" in said) == (552, True)


def test_an_app_password_opens_the_mailbox_until_it_is_revoked_and_ends_its_sessions(host: MailHost) -> None:
    def revoke(door: imaplib.IMAP4_SSL) -> bool:
        door.select("INBOX")
        host.mailbox(ALICE, app_passwords=[])
        deadline = time.monotonic() + SOON
        try:
            while time.monotonic() < deadline:
                door.noop()
                time.sleep(0.1)
        except imaplib.IMAP4.abort:
            return True
        return False

    assert host.imap(ALICE, revoke, PHONE)
    with pytest.raises(imaplib.IMAP4.error, match="Authentication failed"):
        host.imap(ALICE, lambda door: door.noop(), PHONE)
    host.imap(ALICE, lambda door: door.noop())


def test_a_suspended_mailbox_is_told_so_by_its_own_password_only_and_still_receives(host: MailHost) -> None:
    with pytest.raises(imaplib.IMAP4.error, match="suspended"):
        host.imap(GONE, lambda door: door.noop())
    with pytest.raises(imaplib.IMAP4.error, match="Authentication failed"):
        host.imap(GONE, lambda door: door.noop(), "wrong")
    code, said = host.submit(GONE, ALICE)
    assert (code, "suspended" in said) == (550, True)

    assert host.write(GONE, "While away") == (250, "")
    deadline = time.monotonic() + SOON
    while "While away" not in host.subjects(GONE):
        assert time.monotonic() < deadline


def test_a_new_mailbox_has_its_folders_subscribed_and_marked(host: MailHost) -> None:
    listed = host.imap(BOB, lambda door: door.list()[1])
    subscribed = host.imap(BOB, lambda door: door.lsub()[1])

    for name in ("Drafts", "Sent", "Junk", "Trash", "Archive"):
        assert any(f"\\{name})".encode() in line for line in listed), listed  # type: ignore[operator]
        assert any(line.endswith(name.encode()) for line in subscribed), subscribed  # type: ignore[union-attr]


def test_whoever_is_away_answers_people_once_and_machines_never(host: MailHost) -> None:
    assert host.submit(BOB, AWAY, "Are you there") == (250, "")
    answer = host.read(BOB, 'Away "now" ${1}')
    assert 'I am "away".' in answer
    assert "${dollar} \\." in answer
    assert "Auto-Submitted: auto-replied (vacation)" in answer

    assert host.submit(BOB, AWAY, "Still there") == (250, "")
    host.write(AWAY, "List", sender="list@outside.test", List_Id="<list.outside.test>")
    host.write(AWAY, "Bulk", sender="bulk@outside.test", Precedence="bulk")
    host.write(AWAY, "Bounce", sender="")
    for subject in ("Still there", "List", "Bulk", "Bounce"):
        host.read(AWAY, subject)
    assert host.subjects(BOB).count('Away "now" ${1}') == 1
    host.wait_left("outside.test")


def test_mail_in_a_ring_of_forwards_ends_in_a_mailbox(host: MailHost) -> None:
    assert host.write("ring-a@firm.test", "Round and round") == (250, "")

    host.read("ring-a@firm.test", "Round and round")


def test_a_rule_made_by_managesieve_sorts_and_survives_what_the_dashboard_changes(host: MailHost) -> None:
    rule = 'require ["fileinto", "mailbox"];\r\nif header :contains "Subject" "Invoice" { fileinto :create "Bills"; }\r\n'
    host.activate(ALICE, rule)
    assert host.write(ALICE, "Invoice 1") == (250, "")
    host.read(ALICE, "Invoice 1", "Bills")

    host.mailbox(
        ALICE, vacation={"subject": "", "text": "Away", "begins": "2000-01-01", "ends": "2000-01-02"}
    )
    assert host.write(ALICE, "Invoice 2") == (250, "")
    host.read(ALICE, "Invoice 2", "Bills")


def test_use_of_mailboxes_is_reported(host: MailHost) -> None:
    host.write(ALICE, "One more", "x" * 5000)
    host.read(ALICE, "One more")

    said = host.whole.wait(lambda mail: (mail.get("mailboxes") or {}).get(ALICE, [0])[0] > 5000)
    assert said["mailboxes"][ALICE][1] > 1
    assert len(said["mailboxes"]) == 7


def test_wrong_passwords_open_nothing(host: MailHost) -> None:
    with pytest.raises(imaplib.IMAP4.error):
        host.imap(BOB, lambda door: door.noop(), secret(ALICE))
