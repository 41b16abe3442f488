"""Drills come round, on demand too; what they find is proof, or an alarm that names the mailbox."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from backups import actions, drills, proof, tasks, watch
from backups.models import Job, Repository
from engine.models import Alarm
from tests.backups.conftest import BY, Host, make_older
from tests.backups.test_actions import open_alarms, said

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FOUND = {"point": "a" * 64, "at": 1.7e9, "seconds": 42.5, "mailboxes": 2, "messages": 20_000, "bytes": 10**9}
BOBS = {"mailbox": "x", "address": "bob@firm.test", "folder": ".Sent", "why": "9 messages instead of 10"}


def drill_of(host: Host) -> Job:
    return Job.objects.filter(repository_id=host.server.pk, do="drill", state="wanted").get()


def answer(host: Host, job: Job, state: str = "done", why: str = "", **result: Any) -> None:
    told = {"id": str(job.pk), "state": state, "why": why, "result": {**FOUND, "differ": [], **result}}
    actions.note_report(home=host.server.pk, said={"jobs": [told]})


def jobs_were(ago: timedelta) -> None:
    """As if all of them had been asked and answered so much earlier."""
    for job in Job.objects.all():
        done = job.done_at - ago if job.done_at else None
        Job.objects.filter(pk=job.pk).update(asked_at=job.asked_at - ago, done_at=done)


@pytest.fixture
def drilled(host: Host) -> Host:
    """Its first point is a day old, and the drill of it found all well."""
    host.write("snapshots", "one")
    make_older(DAY)
    watch.look()
    answer(host, drill_of(host))
    return host


def proof_of(host: Host) -> proof.Proof:
    found = proof.of(host.server.pk)
    assert found
    return found


def test_the_first_drill_is_asked_for_within_a_day_after_the_first_point(host: Host):
    watch.look()
    assert not Job.objects.exists()
    assert proof_of(host).next_drill is None
    host.write("snapshots", "one")
    due = proof_of(host).next_drill
    assert due
    assert timezone.now() - HOUR < due < timezone.now() + drills.FIRST_WITHIN
    make_older(due - timezone.now() - timedelta(minutes=5))
    watch.look()
    assert not Job.objects.exists()
    make_older(timedelta(minutes=6))
    for _ in range(2):
        watch.look()
    assert (drill_of(host).by, drill_of(host).args) == (drills.BY, {})


def test_servers_that_began_together_are_not_drilled_together():
    moments = {drills.spread(UUID(int=n * 7919)) for n in range(100)}
    assert len(moments) == 100
    assert max(moments) < drills.FIRST_WITHIN


def test_a_month_later_the_next_one_follows(drilled: Host):
    jobs_were(drills.EVERY - HOUR)
    watch.look()
    assert Job.objects.open().count() == 0
    jobs_were(HOUR)
    watch.look()
    assert Job.objects.open().count() == 1


def test_a_drill_on_demand_is_the_months_drill_too(drilled: Host):
    jobs_were(20 * DAY)
    job = drills.want(home=drilled.server.pk, by=BY)
    assert drills.want(home=drilled.server.pk, by="user:2") == job
    answer(drilled, job)
    assert Job.objects.filter(do="drill").count() == 2
    next_drill = proof_of(drilled).next_drill
    assert next_drill
    assert next_drill > timezone.now() + drills.EVERY - HOUR


def test_a_drill_waits_for_the_hours_in_which_the_server_may_move_much(host: Host):
    host.write("snapshots", "one")
    make_older(DAY)
    hour = timezone.now().hour
    actions.set_limits(home=host.server.pk, hours=((hour + 2) % 24, (hour + 4) % 24), kib_s=None, by=BY)
    watch.look()
    assert not Job.objects.exists()
    repository = Repository.objects.get(pk=host.server.pk)
    for hours in (((hour - 1) % 24, (hour + 2) % 24), (5, 5), (None, None)):
        repository.hours_from, repository.hours_to = hours
        assert drills.is_open(repository, timezone.now())


def test_what_a_drill_found_is_the_proof(drilled: Host):
    told = proof_of(drilled)
    assert told.drill
    assert (told.drill.ok, told.drill.took, told.drill.mailboxes) == (True, timedelta(seconds=42.5), 2)
    assert (told.drill.messages, told.drill.bytes, told.drill.mailbox) == (20_000, 10**9, "")
    assert told.good == told.drill
    assert told.under_way is None
    assert told.rpo
    assert DAY <= told.rpo < DAY + HOUR
    assert told.promised == HOUR
    name = drilled.write("snapshots", "two")["name"]
    at = timezone.now().timestamp() - 300
    actions.note_report(home=drilled.server.pk, said=said(name, at=at))
    told = proof_of(drilled)
    assert told.point == name
    assert told.rpo
    assert timedelta(seconds=300) <= told.rpo < timedelta(seconds=900)


@pytest.mark.parametrize(
    ("why", "differ", "mailbox"),
    [
        ("bob@firm.test, folder Sent: 9 messages instead of 10", [BOBS], "bob@firm.test"),
        ("bob@firm.test, folder Sent: missing", [], "bob@firm.test"),
        ("not all could be restored: /mail/x", [], ""),
        ("the repository is damaged", [{"file": "state/x", "why": "missing"}], ""),
        ("nonsense", "nonsense", ""),
        ("nonsense", [{"address": {"a": 1}}], ""),
        ("nonsense", [{"address": "<script>@x"}], ""),
    ],
)
def test_a_drill_that_fails_is_an_alarm_that_names_the_mailbox_until_one_does_not(
    drilled: Host, why: str, differ: Any, mailbox: str
):
    answer(drilled, drills.want(home=drilled.server.pk, by=BY), "failed", why, differ=differ)
    for _ in range(2):
        watch.look()
    assert open_alarms() == {"drill", "old"}
    assert why in Alarm.objects.get(key__endswith=":drill").says
    told = proof_of(drilled)
    assert told.drill
    assert told.good
    assert (told.drill.ok, told.drill.why, told.drill.mailbox) == (False, why, mailbox)
    assert told.good.ok
    answer(drilled, drills.want(home=drilled.server.pk, by=BY))
    watch.look()
    assert open_alarms() == {"old"}


def test_after_a_drill_that_failed_the_next_one_comes_a_day_later(drilled: Host):
    answer(
        drilled, drills.want(home=drilled.server.pk, by=BY), "failed", "bob@firm.test, folder INBOX: missing"
    )
    watch.look()
    assert not Job.objects.open().exists()
    jobs_were(DAY)
    watch.look()
    assert Job.objects.open().count() == 1


@pytest.mark.parametrize("wild", [-1, True, "many", None, 2**70, [1], {"a": 1}])
def test_figures_of_a_drill_are_believed_as_far_as_they_are_figures(drilled: Host, wild: Any):
    result = dict.fromkeys(("seconds", "mailboxes", "messages", "bytes", "at"), wild)
    answer(drilled, drills.want(home=drilled.server.pk, by=BY), **result)
    told = proof_of(drilled).drill
    assert told
    assert (told.took, told.mailboxes, told.messages, told.bytes, told.point_at) == (None, 0, 0, 0, None)


def test_a_drill_that_nobody_answers_proves_nothing_and_after_forty_days_is_an_alarm(drilled: Host):
    jobs_were(38 * DAY)
    watch.look()
    Job.objects.open().update(asked_at=timezone.now() - Job.GIVEN_UP - HOUR)
    watch.forget_gone()
    watch.look()
    assert (proof_of(drilled).drill, "drill" in open_alarms()) == (proof_of(drilled).good, False)
    assert "unproven" not in open_alarms()
    jobs_were(2 * DAY + HOUR)
    watch.look()
    assert "unproven" in open_alarms()
    answer(drilled, Job.objects.open().get())
    watch.look()
    assert "unproven" not in open_alarms()


def test_a_server_that_was_never_drilled_is_unproven_forty_days_after_it_should_have_been(host: Host):
    host.write("snapshots", "one")
    make_older(DAY)
    watch.look()
    Job.objects.update(asked_at=timezone.now() - drills.OLD - HOUR)
    watch.look()
    assert "unproven" in open_alarms()


def test_proofs_stay_a_year_and_the_newest_good_one_always(drilled: Host, other: Host):
    for home in (drilled, other):
        for do in ("look", "restore", "drill"):
            answer(home, actions.want_job(home=home.server.pk, do=do, args={"n": do}, by=BY))
    jobs_were(31 * DAY)
    tasks.compare()
    assert sorted(Job.objects.values_list("do", flat=True)) == ["drill"] * 3 + ["restore"] * 2
    jobs_were(336 * DAY)
    watch.forget_gone()
    assert list(Job.objects.values_list("do", flat=True)) == ["drill"] * 2
    assert set(Job.objects.values_list("repository_id", flat=True)) == {drilled.server.pk, other.server.pk}


def test_a_server_without_backups_has_no_proof(drilled: Host):
    actions.forget_home(home=drilled.server.pk, by=BY)
    assert proof.of(drilled.server.pk) is None
    assert proof.of(UUID(int=5)) is None
