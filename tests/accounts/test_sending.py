"""SendLetter against a real SMTP server: sent once, tried again, given up, and told to staff."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as site
from django.utils import timezone

from accounts import letters, mail, programs, tasks
from accounts.models import Letter, User
from accounts.programs import SendLetter
from engine import worker
from engine.models import Alarm, Run
from engine.program import Done
from tests.accounts.conftest import Browser, Postbox, nobodys_port, work_letters

pytestmark = pytest.mark.django_db
READY = {"server": "post.mailat.test", "url": "/servers/1"}


def write(to: str = "alice@example.test", key: str = "server_ready:1") -> Letter:
    return letters.post("server_ready", to=to, key=key, **READY)


def the_run() -> Run:
    return Run.objects.get(program="SendLetter")


def test_a_letter_arrives_in_text_and_html(postbox: Postbox, alice: User) -> None:
    letter = write()
    work_letters()
    message = postbox.received[0]
    assert message["To"] == "alice@example.test"
    assert message["Subject"] == "post.mailat.test is ready"
    assert message["Message-ID"] == f"<{letter.pk}@mailat.test>"
    assert "http://testserver/servers/1" in message.get_body(("plain",)).get_content()
    assert "See your server" in message.get_body(("html",)).get_content()
    letter.refresh_from_db()
    assert letter.sent_at is not None
    assert the_run().outcome == "sent"


def test_a_step_that_is_repeated_sends_nothing_more(postbox: Postbox, alice: User) -> None:
    write()
    work_letters()
    assert SendLetter(the_run()).send() == Done("nothing to send")
    assert worker.perform(the_run()) == Done("nothing to send")
    assert len(postbox.received) == 1


def test_a_letter_sent_again_after_a_crash_is_the_same_message(postbox: Postbox, alice: User) -> None:
    """The worker dies after the mail server's yes and before the commit."""
    letter = write()
    for _ in range(2):
        assert SendLetter(the_run()).send() == Done("sent")
        Letter.objects.update(sent_at=None)
    first, second = postbox.received
    assert first["Message-ID"] == second["Message-ID"] == f"<{letter.pk}@mailat.test>"
    assert first["Date"] == second["Date"]


def test_no_mail_server_means_later_and_not_never(alice: User, settings: Any, postbox: Postbox) -> None:
    port = site.EMAIL_PORT
    with nobodys_port() as settings.EMAIL_PORT:
        write()
        work_letters()
    run = the_run()
    assert "could not be reached" in run.error
    assert run.finished_at is None
    settings.EMAIL_PORT = port
    work_letters()
    assert len(postbox.received) == 1


@pytest.mark.parametrize("answer", ["451 4.3.0 try again", "421 4.7.0 closing"])
def test_not_now_is_tried_again(postbox: Postbox, alice: User, answer: str) -> None:
    postbox.recipient = answer
    write()
    work_letters()
    run = the_run()
    assert answer[:9] in run.error
    assert (run.finished_at, Letter.objects.get().dropped) == (None, "")
    assert run.due_at > timezone.now()
    postbox.recipient = "250 OK"
    work_letters()
    assert Letter.objects.get().sent_at is not None


def test_the_waits_grow_up_to_a_quarter_of_an_hour() -> None:
    waits = [programs.patience(tries) for tries in range(12)]
    assert waits[:5] == [5, 5, 15, 45, 135]
    assert waits == sorted(waits)
    assert waits[-1] == 900


@pytest.mark.parametrize("where", ["recipient", "data"])
def test_never_is_believed_and_staff_hear_of_it(postbox: Postbox, alice: User, where: str) -> None:
    setattr(postbox, where, "550 5.1.1 no such person")
    letter = write()
    work_letters()
    letter.refresh_from_db()
    assert letter.dropped == "the mail server refused it: 550 5.1.1"
    assert the_run().outcome == "dropped"
    alarm = Alarm.objects.get()
    assert alarm.subject == f"letter:{letter.pk}"
    assert "alice@example.test" in alarm.says


def test_a_strangers_typing_error_is_no_alarm(postbox: Postbox, db: None) -> None:
    postbox.recipient = "550 5.1.1 no such person"
    Browser().ask("alcie@example.test")
    work_letters()
    assert Letter.objects.get().dropped
    assert not Alarm.objects.exists()


def test_the_mail_servers_words_may_quote_the_letter_and_are_not_kept(postbox: Postbox, alice: User) -> None:
    postbox.data = "554 5.7.1 blocked http://testserver/sign-in/link/secret"
    Browser().ask(alice.email)
    work_letters()
    assert "secret" not in Letter.objects.get().dropped + Alarm.objects.get().says


def test_a_letter_that_nobody_takes_for_days_is_given_up(postbox: Postbox, alice: User) -> None:
    postbox.recipient = "452 4.2.2 mailbox full"
    write()
    Letter.objects.update(written_at=timezone.now() - timedelta(days=6))
    work_letters()
    assert Letter.objects.get().dropped == "the mail server wants it later: 452 4.2.2"
    assert Alarm.objects.count() == 1


def test_a_mail_server_that_will_not_have_us_is_our_fault_and_not_the_letters(
    alice: User, postbox: Postbox, settings: Any
) -> None:
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = "wrong"
    write()
    work_letters()
    assert Letter.objects.get().dropped == ""
    assert the_run().finished_at is None
    assert "wrong" not in the_run().error


def test_many_late_letters_are_one_alarm_which_closes_itself(postbox: Postbox, alice: User) -> None:
    postbox.recipient = "451 4.3.0 try again"
    for n in range(3):
        write(key=str(n))
    work_letters()
    Run.objects.update(began_at=timezone.now() - timedelta(minutes=11))
    assert programs.look_for_late_letters() == 3
    alarm = Alarm.objects.get()
    assert "451 4.3.0" in alarm.says
    postbox.recipient = "250 OK"
    work_letters()
    assert programs.look_for_late_letters() == 0
    alarm.refresh_from_db()
    assert alarm.closed_at is not None


def test_an_alarm_is_told_to_staff_once(postbox: Postbox, db: None) -> None:
    Alarm.objects.create(key="k", subject="server:1", says="It\nburns.", advice="Put it out.")
    Alarm.objects.create(key="over", subject="server:2", says="Over.", closed_at=timezone.now())
    for _ in range(2):
        tasks.tell_staff()
        work_letters()
    (message,) = postbox.received
    assert message["To"] == "staff@mailat.test"
    assert message["Subject"] == "Alarm: It burns."
    assert "/admin/engine/alarm/" in message.get_body(("plain",)).get_content()
    assert Alarm.objects.get(key="k").told_at is not None


def test_an_alarm_letter_that_is_refused_does_not_raise_one_alarm_after_another(
    postbox: Postbox, db: None
) -> None:
    postbox.recipient = "550 5.1.1 no such person"
    Alarm.objects.create(key="k", subject="server:1", says="It burns.")
    for _ in range(5):
        tasks.tell_staff()
        work_letters()
    assert sorted(Alarm.objects.values_list("key", flat=True)) == ["k", "letters:staff_refused"]


def test_a_letter_that_was_forgotten_meanwhile_ends_its_run(alice: User) -> None:
    write()
    Letter.objects.all().delete()
    work_letters()
    assert the_run().outcome == "nothing to send"


def test_the_names_of_the_clocks_tasks_are_those_that_the_clock_knows() -> None:
    from mailat.celery import app

    known = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert {tasks.tell_staff.name, tasks.forget_links.name, tasks.forget_counts.name} <= known


def test_a_time_of_the_row_is_the_time_of_the_letter(alice: User) -> None:
    letter = write()
    Letter.objects.update(written_at=timezone.now() - timedelta(hours=3))
    letter.refresh_from_db()
    stamp = mail.compose(letter).message()["Date"]
    assert time.strftime("%H:%M", letter.written_at.timetuple()) in stamp
