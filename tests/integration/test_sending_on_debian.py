"""On a real host by Amazon's stand-in: from the paste to a test mail, a hijacked mailbox alone is slowed, and keys are taken away."""

import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from audit.chain import verify
from audit.models import Event
from domains.models import Letter
from sandbox.hosts.debian import possible
from sending.models import Credentials, Feedback, Notice, Topic
from servers.models import Server
from tests.integration.mail_product import database, product
from tests.integration.mail_town import ALICE, BOB, OWNER, eventually
from tests.integration.sending_town import SendingTown, secrets_of
from vault.models import Secret

FAR = "dave@outside.test"
COMPLAINT, BOUNCE = "complaint@simulator.amazonses.com", "bounce@simulator.amazonses.com"
READERS = [f"reader{number}@outside.test" for number in range(40)]
MINUTE = 60.0  # seconds within which a key that was taken away is used no more
BUSY = 2  # times as long, where machines are busy
# Fails where a directory goes while it is read, as those do that had the key: then it looks again.
FIND = "find /var/lib/mailat /etc/mailat -name relay_password || echo again"

pytestmark = [pytest.mark.integration, pytest.mark.root]


@pytest.fixture(scope="module")
def town(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SendingTown]:
    """No way out yet; mail to others waits."""
    home = tmp_path_factory.mktemp("sending")
    if obstacle := possible.why_not(home):
        pytest.skip(f"skipped: needs root on Linux ({obstacle})")
    with django_db_blocker.unblock(), database() as url, product(home, url) as running:
        yield SendingTown(running)


@pytest.fixture(scope="module")
def key(town: SendingTown) -> dict[str, Any]:
    """In use: pasted on the page, with the policy of the page, in an account that has nothing else."""
    made = town.key()
    town.paste(made)
    town.in_use(made)
    town.enter_records()
    return made


@pytest.fixture(scope="module")
def topic(town: SendingTown, key: dict[str, Any]) -> Topic:
    """Amazon tells us of bounces and complaints."""
    return eventually(
        lambda: Topic.objects.filter(home=town.server.pk).exclude(confirmed_at=None).first(), "a topic"
    )


def test_from_the_paste_to_a_test_mail_that_arrived_with_amazons_answer(
    town: SendingTown, key: dict[str, Any]
) -> None:
    town.press("test", to=FAR, from_domain=str(town.domain.pk))

    (sent,) = eventually(
        lambda: [
            one
            for one in town.taken()
            if one["sender"] == "postmaster@firm.test"
            and [to["recipient"] for to in one["recipients"]] == [FAR]
        ],
        "the test mail at Amazon",
    )
    town.arrived(FAR, "Test mail from your mail server")
    assert sent["access_key"] == key["access_key"]
    town.says(f"To {FAR}: Amazon took it, and said “250", town.sending)
    answer = Letter.objects.get(home=town.server.pk, to=FAR)
    assert (answer.code, sent["id"] in answer.answer) == (250, True)


@pytest.fixture(scope="module")
def slowed(town: SendingTown, topic: Topic) -> SendingTown:
    """Somebody who has Alice's password writes to many in Bob's name, of whom two complain and one does not exist."""
    assert town.send(ALICE, READERS, "Buy this", author=BOB) == (250, "")
    for number, to in enumerate((COMPLAINT, BOUNCE, COMPLAINT), start=1):
        assert town.send(ALICE, [to], "Buy this", author=BOB) == (250, "")
        assert town.mail.submit(BOB, FAR, "Business as usual")[0] == 250
        eventually(partial(has_heard, number), "what Amazon tells of it", why=lambda: heard(town))
    eventually(lambda: town.mailbox(ALICE).slowed_at, "a slowed mailbox", why=lambda: heard(town))
    eventually(lambda: town.limit(ALICE) == 10, "the order on the host")
    return town


def has_heard(number: int) -> bool:
    """One after the other, because what slows a mailbox is told with what was known by then."""
    return Feedback.objects.count() >= number


def heard(town: SendingTown) -> list[Any]:
    return [*Notice.objects.values_list("verdict", flat=True), *Feedback.objects.values(), town.told()]


def test_a_hijacked_mailbox_alone_may_write_to_ten_people_an_hour(slowed: SendingTown) -> None:
    assert slowed.limit(BOB) == 100
    answers = [slowed.mail.submit(ALICE, FAR, "At once")]
    slowed.an_hour_later()
    answers += [slowed.mail.submit(ALICE, READERS[n], "Ten an hour") for n in range(11)]
    assert [code for code, _said in answers] == [450, *[250] * 10, 450], answers
    assert "The hourly limit of 10 recipients is reached; please try again later" in answers[-1][1]

    assert slowed.send(BOB, READERS, "To everybody") == (250, "")
    slowed.arrived(READERS[-1], "To everybody")
    assert slowed.mail.write(ALICE, "She is still written to")[0] == 250
    slowed.comes(ALICE, "She is still written to")


def test_its_owner_is_told_by_letter_and_by_the_page(slowed: SendingTown) -> None:
    slowed.letter("this mailbox alone may write to ten people an hour", OWNER)
    page = f"/mail/mailboxes/{slowed.mailbox(ALICE).pk}"
    assert "1 do not exist and 2 complained" in slowed.says("takes mail to ten people an hour", page)
    assert "It sends slowly" not in slowed.page(f"/mail/mailboxes/{slowed.mailbox(BOB).pk}")


def told_at_last() -> tuple[int, int]:
    """How much counts of what Amazon told, once nothing more comes of what was sent before."""

    def seen() -> tuple[int, int]:
        return Feedback.objects.count(), Notice.objects.exclude(verdict__startswith="refused").count()

    def rests() -> bool:
        before = seen()
        time.sleep(3)
        return before == seen() and not Notice.objects.filter(verdict="").exists()

    eventually(rests, "a verdict of all")
    return seen()


@pytest.mark.parametrize(
    "how", ["forged", "resigned", "old", "malformed", "of another topic", "an end", "replayed"]
)
def test_what_amazon_did_not_say_now_has_no_effect(slowed: SendingTown, topic: Topic, how: str) -> None:
    before = told_at_last()
    told = next(one for one in slowed.told() if COMPLAINT in one["body"])
    genuine = json.loads(told["body"])
    bobs = genuine["Message"].replace(ALICE, BOB)
    new = {**genuine, "MessageId": str(uuid4())}
    body: Any = {
        "forged": {**new, "Message": bobs},
        "resigned": {**new, "Message": bobs, "Signature": "AAAA"},
        "old": {**new, "Message": bobs, "Timestamp": "2020-01-01T00:00:00.000Z"},
        "malformed": b'{"TopicArn": "' + topic.arn.encode() + b'", "Message',
        "of another topic": {**new, "TopicArn": f"{topic.arn}-other"},
        "an end": {**new, "Type": "UnsubscribeConfirmation", "Token": "t", "SubscribeURL": "http://a.test/"},
        "replayed": genuine,
    }[how]
    status = slowed.hand_in(body, told["endpoint"])
    assert status == (400 if how in ("malformed", "of another topic") else 200)

    assert told_at_last() == before
    assert slowed.mailbox(BOB).slowed_at is None
    topic.refresh_from_db()
    assert topic.confirmed_at


def test_lifting_it_on_the_page_lets_it_send_as_before(slowed: SendingTown) -> None:
    with slowed.change():
        slowed.press("unslow", f"/mail/mailboxes/{slowed.mailbox(ALICE).pk}")

    assert slowed.limit(ALICE) == 100
    assert slowed.send(ALICE, READERS[:20], "From Alice herself") == (250, "")
    slowed.arrived(READERS[19], "From Alice herself")
    assert slowed.mailbox(ALICE).slowed_at is None


@pytest.fixture(scope="module")
def ended(town: SendingTown, key: dict[str, Any], topic: Topic) -> "Ended":
    return Ended(town, key)


class Ended:
    """The sending was ended on the page while nobody looks at the server, just after it called us: it is told as late as can be."""

    def __init__(self, town: SendingTown, key: dict[str, Any]) -> None:
        self.town, self.key = town, key
        self.there = town.lies(*secrets_of(key))
        self.row = Credentials.objects.get(access_key=key["access_key"])
        at_rest(town)
        self.said = town.press("remove")
        self.at = time.monotonic()
        self.seconds = self._until_nothing_lies()

    def _until_nothing_lies(self) -> float:
        """Mail is handed in all the while, so that Amazon is seen to take none of it later."""
        town, number = self.town, 0
        while town.host.run("sh", "-c", FIND):
            assert time.monotonic() < self.at + BUSY * MINUTE, town.report
            assert town.mail.submit(BOB, FAR, f"On the way {(number := number + 1)}")[0] == 250
            time.sleep(1)
        return time.monotonic() - self.at


def at_rest(town: SendingTown) -> None:
    """Nobody looks at a page of the server, which called us just now and was told to come back in a while."""
    Server.objects.filter(pk=town.server.pk).update(watched_until=None)
    before = town.agent.reported_at
    eventually(lambda: town.agent.reported_at != before, "a report")


def test_a_key_that_is_taken_away_is_gone_from_the_host_within_a_minute(ended: Ended) -> None:
    assert ended.there, "the search must find what is there"
    print(f"    gone after {ended.seconds:.1f} s; before it lay in {ended.there}")
    assert ended.seconds < BUSY * MINUTE
    assert ended.town.lies(*secrets_of(ended.key)) == []


def test_mail_to_others_waits_and_none_leaves_by_the_key(ended: Ended) -> None:
    town, taken = ended.town, len(ended.town.taken())
    assert town.mail.submit(ALICE, FAR, "Patience")[0] == 250
    town.look_again()
    eventually(
        lambda: "Sending is not set up yet" in town.mail.queue(), "what it waits for", why=town.mail.queue
    )
    assert len(town.taken()) == taken
    assert town.mail.submit(ALICE, BOB, "Within the firm")[0] == 250
    town.comes(BOB, "Within the firm")


def test_its_secret_is_shredded_and_the_audit_proves_it(ended: Ended) -> None:
    ended.row.refresh_from_db()
    assert (ended.row.state, ended.row.ended_why) == ("ended", "removed")
    secret = Secret.objects.get(pk=ended.row.secret_id)
    assert (bytes(secret.sealed), secret.shredded_at is not None) == (b"", True)

    alice, account = f"user:{ended.town.alice.pk}", ended.town.account.pk
    names = ("credentials.ended", "secret.shredded", "way_out.removed")
    rows = Event.objects.filter(account_id=account, action__in=names).order_by("-pk")[: len(names)]
    events = {one.action: one for one in rows}
    assert {name: events[name].by for name in names} == dict.fromkeys(names, alice)
    assert events["credentials.ended"].facts["why"] == "removed"
    assert events["secret.shredded"].facts["why"] == "taken away"
    assert not [one.broken for one in verify() if one.broken]


def test_a_new_key_lets_go_what_waited(ended: Ended) -> None:
    new = ended.town.key(ended.key["account"])
    ended.town.paste(new)
    ended.town.arrived(FAR, "Patience")
    ended.town.in_use(new)
