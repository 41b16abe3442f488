"""Wishes, orders, reports and alarms."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.utils import timezone

from accounts.models import Account
from agent.mailat_agent.backup.wanted import read
from audit.models import Event
from backups import actions, tasks
from backups.models import Job, Point, Repository, Retention, Stored
from engine.models import Alarm
from servers import backup_report, desired
from servers.models import Agent, Server
from tests.backups.conftest import BY, PASSWORD, Host, begin, make_older, server_of
from vault.sealing import SUITE

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def open_alarms() -> set[str]:
    return {
        key.rpartition(":")[2] for key in Alarm.objects.filter(closed_at=None).values_list("key", flat=True)
    }


def said(*names: str, **more: Any) -> dict[str, Any]:
    point = {
        "at": timezone.now().timestamp(),
        "bytes": 500 * 2**20,
        "mailboxes": 3,
        "messages": 1000,
        "manifest": "m",
    }
    kept = backup_report.kept({"points": [{"id": name, **point, **more} for name in names]})
    assert kept
    return kept


def test_the_order_says_what_the_plan_promises_and_stays_the_same(server: Server):
    order = actions.wanted(server.pk)
    assert order
    assert (order["keep"], order["every"], order["jobs"]) == (86400, 3600, [])
    assert order == actions.wanted(server.pk)
    agent = Agent.objects.select_related("server").get()
    assert not desired.is_current(agent)
    desired.order(agent)
    assert desired.is_current(agent)


def test_without_a_storage_nothing_is_ordered(account: Account, settings: Any):
    settings.STORAGE_URL = ""
    server = server_of(account, "bare")
    desired.ensure_backups(server)
    assert not Repository.objects.exists()
    assert "backup" not in desired.wanted(server)
    agent = Agent.objects.select_related("server").get()
    desired.order(agent)
    assert desired.is_current(agent)


def test_another_plan_is_another_promise_from_then_on(server: Server):
    for keep in (7 * DAY, 7 * DAY, DAY):
        begin(server, keep)
    assert list(Retention.objects.values_list("keep", flat=True)) == [DAY, 7 * DAY, DAY]
    assert Event.objects.filter(action="backup.retention_changed").count() == 2
    order = actions.wanted(server.pk)
    assert order
    assert order["keep"] == 86400


def test_limits_are_ordered(server: Server):
    actions.set_limits(home=server.pk, hours=(22, 6), kib_s=2000, by=BY)
    order = actions.wanted(server.pk)
    assert order
    assert (order["hours"], order["kib_s"]) == ([22, 6], 2000)


def test_a_job_is_ordered_until_it_is_answered_and_not_twice(server: Server):
    job = actions.want_job(home=server.pk, do="drill", args={"point": "x"}, by=BY)
    assert actions.want_job(home=server.pk, do="drill", args={"point": "x"}, by=BY) == job
    order = actions.wanted(server.pk)
    assert order
    assert order["jobs"] == [{"id": str(job.pk), "do": "drill", "point": "x"}]
    told = {"id": str(job.pk), "state": "done", "why": "", "result": {"seconds": 4}}
    for answer in (told, {**told, "state": "failed"}):
        actions.note_report(home=server.pk, said={"jobs": [answer]})
    job.refresh_from_db()
    assert (job.state, job.result) == ("done", {"seconds": 4})
    order = actions.wanted(server.pk)
    assert order
    assert order["jobs"] == []
    assert Event.objects.filter(action="backup.job_done").count() == 1


def test_nobody_answers_for_another_server(host: Host, other: Host):
    job = actions.want_job(home=host.server.pk, do="drill", args={}, by=BY)
    told = {"id": str(job.pk), "state": "done", "why": "", "result": {}}
    actions.note_report(
        home=other.server.pk, said={"jobs": [told, {**told, "id": "x"}, {**told, "state": "other"}]}
    )
    assert Job.objects.get().state == "wanted"


def test_a_server_is_not_asked_for_too_much(server: Server):
    for n in range(actions.MOST_OPEN):
        actions.want_job(home=server.pk, do="look", args={"n": n}, by=BY)
    with pytest.raises(actions.TooManyJobs):
        actions.want_job(home=server.pk, do="look", args={"n": "more"}, by=BY)


def test_a_point_is_believed_as_far_as_its_snapshot_is_stored(host: Host, other: Host):
    name = host.write("snapshots", "one")["name"]
    for _ in range(2):
        actions.note_report(home=host.server.pk, said=said(name, "ab" * 32))
    point = Point.objects.get()
    assert (point.snapshot, point.messages, point.gone_at) == (name, 1000, None)
    actions.note_report(home=other.server.pk, said=said(name))
    assert Point.objects.count() == 1


def test_who_is_asked_for_a_point_is_told_what_is_known_of_it(host: Host):
    names = [host.write("snapshots", f"{n}")["name"] for n in range(3)]
    for name, manifest in zip(names, ("ab" * 32, "no hash", "cd" * 32), strict=True):
        actions.note_report(home=host.server.pk, said=said(name, manifest=manifest))
    order = actions.wanted(host.server.pk)
    assert order
    assert "known" not in order

    for name in names[:2]:
        actions.want_job(home=host.server.pk, do="restore", args={"point": name}, by=BY)

    order = actions.wanted(host.server.pk)
    assert order
    (known,) = order["known"]
    assert (known["id"], known["messages"], known["manifest"]) == (names[0], 1000, "ab" * 32)
    (point,) = read(order).known
    assert (point.id, point.bytes, point.at) == (names[0], 500 * 2**20, known["at"])


@pytest.mark.parametrize("at", [0, None, 1e14, 4e9])
def test_a_point_of_a_clock_that_is_wrong_is_dated_by_ours(host: Host, at: Any):
    name = host.write("snapshots", "one")["name"]
    actions.note_report(home=host.server.pk, said=said(name, at=at))
    point = Point.objects.get()
    assert point.at == point.stored_at


def test_a_host_that_forgets_nothing_is_forgotten_for_and_told_of_after_a_day(host: Host):
    names = [host.write("snapshots", f"{n}") for n in range(3)]
    actions.note_report(home=host.server.pk, said=said(*[one["name"] for one in names]))
    make_older(DAY + HOUR)
    tasks.look()
    assert Stored.objects.filter(state="stored").count() == 3
    make_older(HOUR)
    tasks.look()
    assert [row.name for row in Stored.objects.filter(state="stored")] == [names[-1]["name"]]
    assert Point.objects.filter(gone_at__isnull=False).count() == 2
    assert "not_forgotten" not in open_alarms()
    Repository.objects.update(not_forgotten_since=timezone.now() - DAY - HOUR)
    tasks.look()
    assert "not_forgotten" in open_alarms()
    host.told("remove", host.write("data", "a pack"))
    assert "not_forgotten" not in open_alarms()


def test_a_backup_that_is_missing_or_too_old_alarms_and_closes_by_itself(host: Host):
    tasks.look()
    assert open_alarms() == set()
    Repository.objects.update(began_at=timezone.now() - 7 * HOUR)
    tasks.look()
    assert open_alarms() == {"none"}
    host.write("snapshots", "one")
    tasks.look()
    assert open_alarms() == set()
    make_older(2 * HOUR + timedelta(minutes=1))
    tasks.look()
    tasks.look()
    assert open_alarms() == {"old"}
    assert Event.objects.filter(action="backup.trouble_began").count() == 2
    host.write("snapshots", "two")
    tasks.look()
    assert open_alarms() == set()


def test_what_grows_past_the_plan_alarms(host: Host):
    Repository.objects.update(room=100_000)
    host.write("data", b"x" * 100_001)
    tasks.look()
    assert open_alarms() == {"growing"}


@pytest.mark.parametrize(
    ("more", "shrinks"), [({"messages": 400}, True), ({"bytes": 2**20}, True), ({"messages": 600}, False)]
)
def test_what_shrinks_suddenly_alarms(host: Host, more: dict[str, int], shrinks: bool):
    for text, less in (("before", {}), ("after", more)):
        name = host.write("snapshots", text)["name"]
        actions.note_report(home=host.server.pk, said=said(name, **less))
    tasks.look()
    assert open_alarms() == ({"shrinking"} if shrinks else set())


def test_new_hardware_is_given_the_password_sealed_to_its_own_key(host: Host):
    key = X25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    for _ in range(2):
        actions.hand_over(home=host.server.pk, seal_key=public, by="program:Restore", why="new hardware")
    order = actions.wanted(host.server.pk)
    assert order
    info = b"mailat-backup-v1\n" + str(host.server.pk).encode()
    assert SUITE.decrypt(base64.b64decode(order["password"]), key, info=info).decode() == PASSWORD
    assert Event.objects.filter(action="secret.read").count() == 1


def test_a_report_is_bounded_whatever_it_says():
    kept = backup_report.kept(
        {"points": [{"id": "x" * 999, "bytes": -1, "messages": "no"}] * 5000, "jobs": [{"result": {"a": "x" * 10**6}}, {"result": {"b": float("nan")}}]}
    )  # fmt: skip
    assert kept
    assert len(kept["points"]) == 800
    assert len(kept["points"][0]["id"]) == 64
    assert [one["result"] for one in kept["jobs"]] == [{"cut": True}, {}]
    assert backup_report.kept([]) is None
