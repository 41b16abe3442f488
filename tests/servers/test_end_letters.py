"""Seven days, three, one: whoever is about to lose a server is told, and whoever came back is not."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts import mail
from accounts.models import Letter
from engine import lease, worker
from engine.models import Run
from servers import actions
from servers.models import Destruction, Server
from servers.programs.destroy import Destroy
from tests.servers.conftest import program

pytestmark = pytest.mark.django_db
WHY = "cancelled"


def ends(server: Server, ago: timedelta = timedelta()) -> Destruction:
    row = actions.schedule_destruction(server=server, ended_at=timezone.now() - ago, reason=WHY, by="gumroad")
    assert row
    return row


def days_left(row: Destruction, days: float) -> None:
    """Time has passed: everything about the end was said earlier by so much."""
    passed = row.due_at - (timezone.now() + timedelta(days=days))
    Destruction.objects.update(due_at=row.due_at - passed, said_at=row.said_at - passed)
    row.refresh_from_db()


def looks(server: Server) -> None:
    program(Destroy, server).wait_grace()


def warnings() -> list[str]:
    """The subjects of all letters about the end, the first first."""
    rows = Letter.objects.filter(kind__in=actions.WARNINGS).order_by("written_at", "pk")
    return [str(mail.compose(one).subject) for one in rows]


def in_words(at: datetime) -> str:
    return f"{at:%A} {at.day} {at:%B}"


def test_a_letter_at_once_one_three_days_before_and_one_on_the_last_day(server: Server):
    row = ends(server)
    for left in (6.9, 3.1, 2.9, 2.5, 1.1, 0.9, 0.5, 0.01):
        days_left(row, left)
        looks(server)
        looks(server)
    found = warnings()
    assert len(found) == 3
    assert "will be deleted on" in found[0]
    assert "will be deleted in 3 days" in found[1]
    assert "will be deleted within a day" in found[2]


def test_the_day_that_it_names_is_the_day(server: Server):
    row = ends(server)
    days_left(row, 2.9)
    looks(server)
    assert warnings()[-1].endswith(in_words(row.due_at))


def test_workers_that_were_away_tell_how_much_is_left_and_not_how_much_was(server: Server):
    row = ends(server)
    days_left(row, 1.5)
    looks(server)
    assert "in 2 days" in warnings()[-1]


def test_an_end_that_was_heard_of_late_is_told_once(server: Server):
    """There is a day left, and the first letter has just said so."""
    ends(server, timedelta(days=20))
    looks(server)
    assert len(warnings()) == 1


def test_letters_are_written_once_however_often_a_worker_dies(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    days_left(ends(server), 2.9)
    monkeypatch.setattr(lease, "settle", lambda *_: 1 / 0)
    for _ in range(2):
        take(server)
    monkeypatch.undo()
    take(server)
    assert len(warnings()) == 2


def take(server: Server) -> None:
    run = Run.objects.get(subject=server.subject, program="Destroy", finished_at=None)
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now(), held=False)
    for taken in lease.take(run_id=run.pk):
        worker.advance(taken)


def test_none_is_written_or_sent_after_coming_back(server: Server):
    days_left(ends(server), 2.9)
    looks(server)
    sent = Letter.objects.get(kind="destruction_scheduled")
    sent.sent_at = timezone.now()
    sent.save()
    assert actions.keep_server(server=server, by="gumroad")
    looks(server)
    assert len(warnings()) == 2
    sent.refresh_from_db()
    assert (sent.dropped, Letter.objects.get(kind="destruction_near").dropped) == ("", "its reader came back")
    assert Letter.objects.get(kind="server_kept").dropped == ""


def test_a_second_end_tells_everything_anew(server: Server):
    days_left(ends(server), 2.9)
    looks(server)
    actions.keep_server(server=server, by="gumroad")
    days_left(ends(server), 2.9)
    looks(server)
    assert Letter.objects.filter(kind="destruction_scheduled").count() == 2
    assert Letter.objects.filter(kind="destruction_near", dropped="").count() == 1


class TestPuttingItOff:
    def test_it_is_only_ever_later_and_by_thirty_days_at_most(self, server: Server):
        due = ends(server).due_at
        for days in (0, -1, 31):
            with pytest.raises(actions.CannotExtend):
                actions.extend_grace(server=server, days=days, by="user:9", reason="asked by phone")
        for days in (10, 20):
            actions.extend_grace(server=server, days=days, by="user:9", reason="asked by phone")
        with pytest.raises(actions.CannotExtend):
            actions.extend_grace(server=server, days=1, by="user:9", reason="asked by phone")
        assert Destruction.objects.get().due_at == due + timedelta(days=30)
        assert Letter.objects.filter(kind="grace_extended").count() == 2

    def test_nothing_is_put_off_that_is_not_going_to_happen_or_has_begun(self, server: Server):
        with pytest.raises(actions.CannotExtend):
            actions.extend_grace(server=server, days=3, by="user:9", reason="asked")
        ends(server)
        Destruction.objects.update(begun_at=timezone.now())
        with pytest.raises(actions.CannotExtend):
            actions.extend_grace(server=server, days=3, by="user:9", reason="asked")

    def test_the_day_that_was_put_off_is_warned_of_again(self, server: Server):
        row = ends(server)
        days_left(row, 0.5)
        looks(server)
        row = actions.extend_grace(server=server, days=7, by="user:9", reason="asked")
        days_left(row, 2.9)
        looks(server)
        days_left(row, 0.9)
        looks(server)
        assert len(warnings()) == 5  # at once, the last day, put off, three days, the last day

    def test_saying_again_that_it_ended_does_not_bring_the_day_nearer(self, server: Server):
        ends(server)
        put_off = actions.extend_grace(server=server, days=7, by="user:9", reason="asked").due_at
        ends(server)
        assert Destruction.objects.get().due_at == put_off
