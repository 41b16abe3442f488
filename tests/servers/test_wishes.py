"""What may be wished for, what is seen of it, and what the inventory says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Account
from audit.models import Event
from engine.models import Alarm, Run
from servers import actions, desired, metrics, plans, progress, reaper, state, userdata
from servers.models import Agent, Metric, Server, ThinMetric
from servers.programs.destroy import Destroy
from tests.servers.conftest import Vendor
from tests.servers.test_provision import order, step

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "a--b", "9lives", "a.b", "ä", "a" * 41, "admin", "a b", "a\nb"]
)
def test_a_name_that_no_host_may_have_is_refused_with_a_sentence(account: Account, name: str):
    with pytest.raises(actions.BadName) as refused:
        actions.want_server(account=account, name=name, place="fsn1", plan="basic", by="user:1")
    assert str(refused.value).endswith((".", "'"))
    assert not Server.objects.exists()


def test_a_name_is_taken_in_lower_case(account: Account):
    assert (
        actions.want_server(account=account, name=" Post-1 ", place="fsn1", plan="basic", by="u").name
        == "post-1"
    )


def test_a_name_can_be_taken_once(account: Account, server: Server):
    with pytest.raises(actions.NameTaken):
        actions.want_server(account=account, name="post", place="hel1", plan="basic", by="user:1")
    assert Run.objects.count() == 1


def test_an_unknown_place_is_refused(account: Account):
    with pytest.raises(actions.BadPlace):
        actions.want_server(account=account, name="post", place="moon", plan="basic", by="user:1")


def test_a_wish_is_written_with_its_event_and_its_run(server: Server):
    assert Event.objects.get(subject=server.subject).action == "server.wanted"
    assert Run.objects.get(subject=server.subject).program == "Provision"


def test_every_plan_has_a_machine_at_every_place():
    assert all(plans.machine_types(plan, place) for plan in plans.PLANS for place in plans.PLACES)


def test_backups_are_kept_between_a_day_and_thirty():
    kept = [plan.backups_kept for plan in plans.PLANS.values()]
    assert (min(kept), max(kept)) == (timedelta(hours=24), timedelta(days=30))


def test_user_data_fits_and_tells_no_lasting_secret(server: Server, settings: Any):
    text = userdata.user_data(server, 1)
    assert len(text.encode()) < userdata.LIMIT
    assert userdata.enrolment_token(server, 1) in text
    assert userdata.enrolment_token(server, 1) != userdata.enrolment_token(server, 2)
    assert not any(secret in text for secret in (settings.SECRET_KEY, settings.HETZNER_TOKEN))


def test_progress_begins_with_the_first_line_and_shows_what_is_waited_for(server: Server, vendor: Vendor):
    assert [line.state for line in progress.of(server)] == ["now", "next", "next", "next", "next", "next"]
    order(server)
    step(server, "wait_agent")
    lines = progress.of(server)
    assert [line.state for line in lines] == ["done", "done", "now", "next", "next", "next"]
    assert "starting" in lines[2].waits_for


def test_progress_says_when_nothing_is_in_stock(server: Server, vendor: Vendor):
    vendor.fault(kind="out_of_stock", times=None)
    step(server, "make_firewall")
    for _ in range(3):
        step(server, "order_machine")
    assert "every two minutes" in progress.of(server)[0].waits_for


def test_a_finished_program_is_done_in_every_line(server: Server):
    Run.objects.update(finished_at=timezone.now(), due_at=None)
    assert {line.state for line in progress.of(server)} == {"done"}


def test_the_end_has_progress_too(server: Server):
    actions.schedule_destruction(server=server, ended_at=timezone.now(), reason="x", by="gumroad")
    assert progress.of(server, Destroy.__name__)[0].state == "now"


def test_the_state_is_one_word_from_the_making_to_the_end(server: Server):
    def word() -> str:
        return state.of(Server.objects.select_related("agent", "destruction").get(pk=server.pk)).word

    assert word() == "being made"
    Server.objects.update(ready_at=timezone.now())
    assert word() == "down"
    Agent.objects.create(server=server, key_hash="x", seal_key="x", reported_at=timezone.now())
    assert word() == "working"
    Agent.objects.update(report={"services": {"postfix.service": "failed"}})
    assert word() == "attention"
    Agent.objects.update(health="lost")
    assert word() == "down"
    actions.schedule_destruction(server=server, ended_at=timezone.now(), reason="x", by="gumroad")
    assert word() == "ending"
    Server.objects.update(gone_at=timezone.now())
    assert word() == "gone"


def test_the_state_of_a_full_disk_is_attention(server: Server):
    Server.objects.update(ready_at=timezone.now())
    Agent.objects.create(
        server=server,
        key_hash="x",
        seal_key="x",
        reported_at=timezone.now(),
        report={"disk_used": 95.0, "disk_total": 100.0},
    )
    assert state.of(Server.objects.select_related("agent").get()).word == "attention"


def test_a_server_is_ordered_anew_only_when_what_is_wanted_changed(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    agent = Agent.objects.create(server=server, key_hash="x", seal_key="x")
    assert not desired.is_current(agent)
    assert desired.order(agent) == 1
    assert desired.is_current(agent)
    monkeypatch.setattr(desired, "WATCHED_SERVICES", ("other.service",))
    assert not desired.is_current(agent)


def test_the_inventory_reports_a_machine_that_nobody_wanted_and_leaves_it_alone(
    server: Server, vendor: Vendor
):
    order(server)
    Server.objects.filter(pk=server.pk).update(gone_at=timezone.now())
    reaper.reap()
    reaper.reap()
    assert Alarm.objects.get(closed_at=None).key == f"reap:machine:{vendor.machines()[0]['id']}"
    assert len(vendor.machines()) == 1


def test_the_inventory_reports_a_server_without_its_machine_and_closes_the_alarm_when_it_is_back(
    server: Server, vendor: Vendor
):
    order(server)
    real = Server.objects.get().machine_id
    Server.objects.update(machine_id=424242, ready_at=timezone.now() - timedelta(hours=1))
    reaper.reap()
    assert Alarm.objects.get(closed_at=None).key == f"reap:{server.subject}"
    Server.objects.update(machine_id=real)
    reaper.reap()
    assert not Alarm.objects.filter(closed_at=None).exists()


def test_the_inventory_of_a_healthy_fleet_alarms_nobody(server: Server, vendor: Vendor):
    order(server)
    Server.objects.update(ready_at=timezone.now() - timedelta(hours=1))
    reaper.reap()
    assert not Alarm.objects.exists()


def put(server: Server, at: datetime, cpu: float) -> None:
    Metric.objects.create(server=server, at=at, cpu=cpu, memory=1, disk=1, load=1, received=1, sent=1)


def test_a_series_has_points_only_where_there_were_reports(server: Server):
    now = timezone.now()
    for minutes in (50, 20, 5):
        put(server, now - timedelta(minutes=minutes), minutes)
    assert [point.cpu for point in metrics.series(server, "hour")] == [50, 20, 5]
    assert metrics.series(Server(pk="00000000-0000-0000-0000-000000000000"), "hour") == []


def test_old_figures_are_thinned_and_their_day_leaves(server: Server):
    old = datetime.now(UTC).replace(hour=12, minute=1, second=0, microsecond=0) - timedelta(days=2)
    for second in range(5):
        put(server, old + timedelta(seconds=second), second)
    put(server, timezone.now(), 99)
    metrics.keep_partitions()
    metrics.keep_partitions()
    assert ThinMetric.objects.get().cpu == 2
    assert [one.cpu for one in Metric.objects.all()] == [99]
    assert [point.cpu for point in metrics.series(server, "month")] == [2, 99]


def test_thinned_figures_leave_after_their_month(server: Server):
    ThinMetric.objects.create(server=server, at=timezone.now() - timedelta(days=40))
    metrics.keep_partitions()
    assert not ThinMetric.objects.exists()


def test_the_coming_days_have_their_tables(server: Server):
    metrics.keep_partitions()
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"servers_metric_{tomorrow:%Y%m%d}"])
        assert cursor.fetchone()[0] is not None


def test_watching_is_written_at_most_once_a_minute(server: Server, django_assert_num_queries: Any):
    actions.watch(server=server)
    server.refresh_from_db()
    with django_assert_num_queries(0):
        actions.watch(server=server)
