"""On a real host: what others wrote leaves by the customer's way out, which takes it in no name but the customer's."""

import smtplib
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import formatdate

import pytest

from sandbox.internet import ses_rules
from tests.agent.mail.mail_host import Answer, MailHost, box, handed, mail_host
from tests.agent.mail.whole_host import WholeHost

pytestmark = pytest.mark.root

ALICE, BOB, FAR, PRESS = (f"{name}@firm.test" for name in ("alice", "bob", "far", "press"))
CAROL, CAROLS_LIST, JANE = "carol@outside.test", "carol+list@outside.test", "jane@outside.test"
BOUNCES = "bounces+7@mailer.outside.test"
# As a shop's mail is after a sending service signed it and a first forwarder handed it on.
NEWSLETTER = """\
Return-Path: <bounces+7@mailer.outside.test>
Delivered-To: somebody@university.test
Delivered-To: somebody.else@university.test
Received: from mailer.outside.test (mailer.outside.test [192.0.2.9])
\tby mx.university.test with ESMTPS id x1; {date}
ARC-Seal: i=1; a=rsa-sha256; t=1; cv=none; d=university.test; s=arc; b=AAAA
ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=university.test;
\ts=arc; h=from:subject; bh=AAAA; b=AAAA
ARC-Authentication-Results: i=1; mx.university.test; dkim=pass header.i=@shop.test
X-SES-Configuration-Set: theirs
Feedback-ID: 1.eu-west-1.abc=:AmazonSES
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=shop.test; s=one;
\th=from:to:subject; bh=AAAA; b=BBBB
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=outside.test; s=two;
\th=from:to:subject; bh=AAAA; b=CCCC
DomainKey-Signature: a=rsa-sha1; q=dns; s=three; d=outside.test; b=AAAA
Sender: The shop's news <news@mailer.outside.test>
Errors-To: bounces@mailer.outside.test
Precedence: bulk
Date: {date}
From: =?UTF-8?Q?B=C3=BCcher_am_Platz?= <news@shop.test>
To: {to}
Subject: {subject}
Message-ID: <{subject}@shop.test>
List-ID: <news.shop.test>
List-Unsubscribe: <https://shop.test/leave>, <mailto:leave@shop.test>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
"""


@pytest.fixture(scope="module")
def host(whole: WholeHost) -> MailHost:
    """Alice's firm before it has a way out."""
    boxes = [box(ALICE), box(BOB), box(FAR, forward=[CAROL])]
    aliases = [{"address": PRESS, "targets": [BOB, CAROL]}]
    return mail_host(whole, mailboxes=boxes, aliases=aliases)


@pytest.fixture
def relay(host: MailHost) -> None:
    """Now it has one."""
    if not host.wanted.get("relay"):
        host.want(relay=host.relay())


def bring(host: MailHost, fields: str, to: str, sender: str = BOUNCES) -> Answer:
    """A stranger's server hands in a mail with exactly these fields."""
    raw = f"{fields}\nHello\n".replace("\n", "\r\n").encode()

    def send() -> Answer:
        with smtplib.SMTP(host.whole.address, 25, local_hostname="mx.outside.test", timeout=120) as door:
            return handed(door, raw, sender, to)

    return host.laptop(send)


def left(host: MailHost, to: str, subject: str) -> EmailMessage:
    """What reached somebody outside, below what the sending service wrote above it."""
    said = message_from_bytes(host.arrived(to, subject), policy=policy.default)
    assert isinstance(said, EmailMessage)
    return said


def signers(said: EmailMessage) -> list[str]:
    tags = " ".join(said.get_all("DKIM-Signature", [])).split()
    return [tag[2:-1] for tag in tags if tag.startswith("d=")]


def test_mail_forwarded_before_there_was_a_way_out_leaves_when_there_is_one(host: MailHost) -> None:
    fields = NEWSLETTER.format(date=formatdate(), to=PRESS, subject="early")
    assert bring(host, fields, PRESS) == (250, "")
    host.read(BOB, "early")

    host.want(relay=host.relay())
    assert left(host, CAROL, "early")["From"].addresses[0].addr_spec == PRESS
    host.publish_key()


@pytest.mark.usefixtures("relay")
@pytest.mark.parametrize(("address", "reader"), [(FAR, FAR), (PRESS, BOB)])
def test_a_newsletter_leaves_in_our_name_and_our_own_copy_is_untouched(
    host: MailHost, address: str, reader: str
) -> None:
    subject = f"news-{address.partition('@')[0]}"
    fields = NEWSLETTER.format(date=formatdate(), to=address, subject=subject)
    assert bring(host, fields, address) == (250, "")
    said = left(host, CAROL, subject)

    (author,) = said["From"].addresses
    assert (author.display_name, author.addr_spec) == ("Bücher am Platz via firm.test", address)
    assert said["Reply-To"] == "news@shop.test"
    assert (said["Sender"], said["X-SES-Configuration-Set"]) == (None, None)
    assert signers(said) == ["amazonses.com", "firm.test"]
    assert said["List-Unsubscribe"] == "<https://shop.test/leave>, <mailto:leave@shop.test>"
    # What came is there to the last character, in its order; only a trace that nobody may bring along is Dovecot's own.
    kept = host.read(reader, subject).replace("\r\n", "\n")
    after_the_first = fields.partition("\n")[2]
    assert all(block in kept for block in after_the_first.split("ARC-Seal")[1:])
    assert [line for line in after_the_first.splitlines() if line not in kept.splitlines()] == []


@pytest.mark.usefixtures("relay")
def test_mail_that_says_things_twice_leaves_saying_them_once(host: MailHost) -> None:
    twice = "".join(
        f"{name}: {value}\n"
        for name in ("Date", "Message-ID", "To", "Reply-To", "List-ID", "Thread-Topic")
        for value in {
            "Date": [formatdate(), formatdate(0)],
            "Message-ID": ["<first@shop.test>", "<second@shop.test>"],
            "To": [PRESS, BOB],
            "Reply-To": ["first@shop.test", "second@shop.test"],
        }.get(name, [f"{name}-one.shop.test", f"{name}-two.shop.test"])
    )
    fields = f"From: news@shop.test\nSubject: twice\n{twice}MIME-Version: 1.0\nContent-Type: text/plain\n"
    assert bring(host, fields, PRESS) == (250, "")
    said = left(host, CAROL, "twice")

    names = [name.lower() for name in said.keys() if name.lower() in ses_rules.ONCE]  # noqa: SIM118
    assert sorted(name for name in set(names) if names.count(name) > 1) == [
        "dkim-signature"
    ]  # the service's own
    assert (said["Reply-To"], said["To"]) == ("first@shop.test", PRESS)


@pytest.mark.usefixtures("relay")
def test_an_author_to_whom_nobody_could_reply_is_not_named_for_replies(host: MailHost) -> None:
    fields = "From: Nobody\nTo: press@firm.test\nSubject: nameless\nMessage-ID: <nameless@shop.test>\n"
    assert bring(host, f"{fields}Date: {formatdate()}\n", PRESS) == (250, "")

    said = left(host, CAROL, "nameless")
    assert (said["From"].addresses[0].addr_spec, said["Reply-To"]) == (PRESS, None)


@pytest.mark.usefixtures("relay")
def test_what_bobs_own_script_sends_on_leaves_in_his_name_or_in_that_of_a_colleague_who_signed_in(
    host: MailHost,
) -> None:
    host.activate(BOB, f'require "copy"; redirect :copy "{CAROLS_LIST}";')
    fields = NEWSLETTER.format(date=formatdate(), to=BOB, subject="scripted")
    assert bring(host, fields, BOB) == (250, "")
    said = left(host, CAROLS_LIST, "scripted")

    assert (said["From"].addresses[0].addr_spec, said["Reply-To"]) == (BOB, "news@shop.test")
    assert said["From"].addresses[0].display_name == "Bücher am Platz via firm.test"
    assert "From: =?UTF-8?Q?B=C3=BCcher_am_Platz?= <news@shop.test>\r\n" in host.read(BOB, "scripted")

    assert host.submit(ALICE, BOB, "from a colleague") == (250, "")
    assert left(host, CAROLS_LIST, "from a colleague")["From"] == ALICE


@pytest.mark.usefixtures("relay")
def test_an_answer_of_bobs_own_script_reaches_whom_it_is_for(host: MailHost) -> None:
    host.activate(BOB, 'require "vacation"; vacation :days 1 :subject "I am away" "Back in May.";')
    assert host.write(BOB, "A question", sender=JANE) == (250, "")

    said = left(host, JANE, "I am away")
    assert said["From"] == BOB
    assert "firm.test" in signers(said)


@pytest.mark.parametrize("address", ["=personal", "=personal+carol=outside.test"])
def test_nobody_outside_can_write_to_where_scripts_send(host: MailHost, address: str) -> None:
    assert host.write(f"{address}@post.servers.test")[0] == 550
