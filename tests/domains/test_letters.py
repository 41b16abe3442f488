"""A test mail is ordered, sent by its server alone, and its answer counts once."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from accounts.models import Account
from agent.mailat_agent.mail.letter import Letter as Ordered
from audit.models import Event
from domains import actions, tasks
from domains.models import Domain, Letter
from domains.refusals import BadName, Refusal, TooMany
from domains.wanted import LETTERS_AT_ONCE, LETTERS_WAIT, mail
from engine.models import Run
from tests.accounts.test_races import MANY, all_at_once
from tests.domains.conftest import BY
from tests.domains.test_wanted import read

pytestmark = pytest.mark.django_db
TO, FROM = "olive@elsewhere.test", "postmaster@firm.test"


def ask(firm: Domain, to: str = TO, sender: str = FROM, **more: object) -> Letter:
    values: dict = {"account": firm.account, "home": firm.home, "to": to, "sender": sender, **more}
    return actions.ask_letter(**values, by=BY)


def told(row: Letter, **said: object) -> list[dict[str, object]]:
    return [{"id": str(row.pk), "at": 1_795_000_000, "code": 250, "answer": "250 Ok 0102", **said}]


def age(by: timedelta) -> None:
    for row in Letter.objects.all():
        Letter.objects.filter(pk=row.pk).update(asked_at=row.asked_at - by)


def test_it_is_ordered_as_the_agent_reads_it(firm: Domain) -> None:
    row = ask(firm, " Olive@Elsewhere.TEST ")
    assert mail(firm.home)["letters"] == [{"id": str(row.pk), "to": TO, "from": FROM}]
    assert read(firm.home).letters == (Ordered(str(row.pk), TO, FROM),)
    assert mail(uuid4())["letters"] == []
    event = Event.objects.get(action="letter.asked")
    assert (event.by, event.subject, event.facts["to"]) == (BY, f"server:{firm.home}", TO)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to": "olive"}, "to"),
        ({"to": "olive@elsewhere.test\nBcc: all@elsewhere.test"}, "to"),
        ({"sender": "postmaster@elsewhere.test"}, "sender"),
        ({"sender": "x@sub.firm.test"}, "sender"),
        ({"home": UUID(int=1)}, "sender"),
    ],
)
def test_what_is_no_address_or_not_of_this_server_is_refused(
    firm: Domain, change: dict[str, str], field: str
) -> None:
    with pytest.raises(Refusal) as caught:
        ask(firm, **change)
    assert caught.value.field == field
    assert isinstance(caught.value, BadName) == (field == "to")
    assert not Letter.objects.exists()


def test_charlie_cannot_send_by_alices_server(firm: Domain) -> None:
    with pytest.raises(Refusal, match="domains of this server"):
        ask(firm, account=Account.objects.create(name="Charlie"))


def test_of_many_at_once_no_more_than_ten_an_hour_are_sent(firm: Domain) -> None:
    for _ in range(10):
        ask(firm)
    with pytest.raises(TooMany, match="10 test mails an hour"):
        ask(firm)
    age(timedelta(hours=1))
    ask(firm)
    assert Letter.objects.count() == 11


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_not_pass_the_limit_together(firm: Domain) -> None:
    for _ in range(9):
        ask(firm)

    def try_it(_n: int) -> bool:
        try:
            ask(firm)
        except TooMany:
            return False
        return True

    assert sorted(all_at_once(try_it)) == [False] * (MANY - 1) + [True]


def test_the_eldest_are_ordered_and_one_that_was_left_out_for_its_age_never_comes_back(firm: Domain) -> None:
    rows = [str(ask(firm).pk) for _ in range(LETTERS_AT_ONCE + 2)]
    assert [one["id"] for one in mail(firm.home)["letters"]] == rows[:LETTERS_AT_ONCE]
    actions.note_letters(home=firm.home, told=[{"id": rows[0], "code": 250}])
    assert [one["id"] for one in mail(firm.home)["letters"]] == rows[1 : LETTERS_AT_ONCE + 1]
    age(LETTERS_WAIT)
    assert mail(firm.home)["letters"] == []


def test_an_answer_counts_once_and_ends_the_order(firm: Domain) -> None:
    row = ask(firm)
    run = Run.objects.create(
        program="Keep", subject=f"server:{firm.home}", step="rest", due_at=timezone.now() + timedelta(days=1)
    )
    for count, code in ((1, 250), (0, 554), (0, 250)):
        assert actions.note_letters(home=firm.home, told=told(row, code=code)) == count
    row.refresh_from_db()
    run.refresh_from_db()
    assert (row.code, row.answer, run.wakes) == (250, "250 Ok 0102", 1)
    assert mail(firm.home)["letters"] == []
    event = Event.objects.get(action="letter.answered")
    assert (event.by, event.facts["code"]) == (f"agent:{firm.home}", 250)


@pytest.mark.django_db(transaction=True)
def test_of_two_reports_at_once_one_counts(firm: Domain) -> None:
    row = ask(firm)
    found = all_at_once(lambda _n: actions.note_letters(home=firm.home, told=told(row)))
    assert sorted(found) == [0] * (MANY - 1) + [1]
    assert Event.objects.filter(action="letter.answered").count() == 1


def test_an_answer_that_comes_late_still_counts_and_another_servers_never(firm: Domain) -> None:
    row = ask(firm)
    age(LETTERS_WAIT * 2)
    assert actions.note_letters(home=uuid4(), told=told(row)) == 0
    assert actions.note_letters(home=firm.home, told=told(row)) == 1


@pytest.mark.parametrize("said", ["", "..", "x" * 36, None, 5, [], {"a": 1}])
def test_nonsense_answers_nothing(firm: Domain, said: object) -> None:
    ask(firm)
    assert actions.note_letters(home=firm.home, told=[{"id": said, "code": 250}, {}]) == 0


@pytest.mark.parametrize(
    ("code", "answer", "kept"),
    [
        (10**12, "x" * 999, (0, "x" * 300)),
        (-1, "no\r\n\tsuch\x00 \ud800 user", (0, "no such user")),
        (True, None, (0, "")),
        ("250", 5, (0, "")),
        (535, "535 Authentication Credentials Invalid", (535, "535 Authentication Credentials Invalid")),
    ],
)
def test_whatever_a_servers_root_says_fits(
    firm: Domain, code: object, answer: object, kept: tuple[int, str]
) -> None:
    row = ask(firm)
    assert actions.note_letters(home=firm.home, told=told(row, code=code, answer=answer)) == 1
    row.refresh_from_db()
    assert (row.code, row.answer) == kept


def test_they_are_forgotten_after_a_month_and_with_their_server(firm: Domain) -> None:
    ask(firm)
    tasks.purge()
    assert Letter.objects.count() == 1
    age(timedelta(days=31))
    tasks.purge()
    assert not Letter.objects.exists()
    ask(firm)
    actions.forget_home(firm.home)
    assert not Letter.objects.exists()
