"""On a real host: a test mail leaves once, and what Amazon's endpoint said to it is reported."""

import time
from uuid import uuid4

import pytest

from tests.agent.mail.mail_host import SOON, MailHost, box, mail_host
from tests.agent.mail.whole_host import Report, WholeHost
from vault.sealing import seal_to

pytestmark = pytest.mark.root

ALICE, DORA = "alice@firm.test", "dora@unverified.test"
CAROL = "carol@outside.test"
SUBJECT = "Test mail from your mail server"


@pytest.fixture(scope="module")
def host(whole: WholeHost) -> MailHost:
    """Alice's firm; Amazon lets it send in the name of one of its two domains."""
    domains = [
        {"name": name, "catch_all": None, "mta_sts": "none"} for name in ("firm.test", "unverified.test")
    ]
    return mail_host(whole, domains=domains, mailboxes=[box(ALICE), box(DORA)], aliases=[])


def letter(sender: str, to: str = CAROL) -> dict[str, str]:
    return {"id": str(uuid4()), "to": to, "from": sender}


def answer(host: MailHost, asked: dict[str, str]) -> tuple[int, str]:
    """What is reported of a letter, once something is."""

    def told(mail: Report) -> list[Report]:
        return [one for one in mail["letters"] if one["id"] == asked["id"]]

    (found,) = told(host.whole.wait(told))
    return found["code"], found["answer"]


def letters_at_carol(host: MailHost) -> int:
    """How often one came; a second copy of the same mail counts as well."""
    return sum(one["deliveries"] for one in host.outside.all(CAROL) if one["subject"] == SUBJECT)


def demand_arrived(host: MailHost, count: int) -> None:
    """So many came in all, and nothing waits to come after them."""
    deadline = time.monotonic() + SOON
    while letters_at_carol(host) < count or "firm.test" in host.queue():
        assert time.monotonic() < deadline, (letters_at_carol(host), host.queue())
        time.sleep(0.2)
    assert letters_at_carol(host) == count


def test_without_a_way_out_a_letter_waits_and_it_leaves_by_the_one_that_comes(host: MailHost) -> None:
    asked = letter("postmaster@firm.test")
    host.want(letters=[asked])
    assert SUBJECT not in host.queue()

    host.want(relay=host.relay())
    code, says = answer(host, asked)
    assert (code, says[:9]) == (250, "250 Ok 01")
    demand_arrived(host, 1)


def test_it_leaves_once_however_often_it_is_ordered_and_the_agent_begins_anew(host: MailHost) -> None:
    before, asked = letters_at_carol(host), letter(ALICE)
    host.want(letters=[asked])
    first = answer(host, asked)
    assert first[0] == 250
    host.whole.run("systemctl", "kill", "--signal=KILL", "mailat-agent.service")
    host.want()
    assert answer(host, asked) == first
    another = letter(ALICE)
    host.want(letters=[asked, another])
    assert answer(host, another)[0] == 250
    demand_arrived(host, before + 2)


def test_a_letter_in_a_name_that_amazon_does_not_know_is_refused_in_its_words_and_nobody_gets_a_bounce(
    host: MailHost,
) -> None:
    asked = letter(DORA)
    host.want(letters=[asked])
    code, says = answer(host, asked)

    assert code == 554
    assert "not verified" in says
    assert "in reply to" not in says
    assert "unverified.test" not in host.queue()
    assert host.subjects(DORA) == []


def test_an_address_that_this_server_does_not_have_is_refused_by_itself(host: MailHost) -> None:
    asked = letter(ALICE, "nobody@firm.test")
    host.want(letters=[asked])
    code, says = answer(host, asked)
    assert (code, says[:23]) == (0, "not sent: refused: 550 ")


def test_a_password_that_amazon_does_not_take_is_said_at_once_and_the_letter_never_leaves_late(
    host: MailHost,
) -> None:
    right = host.relay()
    control = host.whole.control
    info = b"mailat-relay-v1\n" + control.server.encode()
    wrong = seal_to(control.enrolments[-1]["seal_key"], info, "B" + "x" * 43)
    asked = letter(ALICE)
    host.want(relay={**right, "sealed": wrong}, letters=[asked])

    assert answer(host, asked) == (535, "535 Authentication Credentials Invalid")
    assert CAROL not in host.queue()

    count, mended = letters_at_carol(host), letter(ALICE)
    host.want(relay=right, letters=[asked, mended])
    assert answer(host, mended)[0] == 250
    demand_arrived(host, count + 1)
