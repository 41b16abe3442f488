"""Owners hear of what is wrong with their backups when it begins and when it is over: once each, and of nothing else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Account, Letter, Membership, User
from backups import actions, alarms, drills, tasks, watch
from backups.models import Job, Repository
from backups.programs.empty import ALARMS
from engine import alarms as engine_alarms
from engine.models import Alarm
from servers import backup_letters
from servers.models import Server
from servers.tasks import tell_of_backups
from tests.backups.conftest import BY, Host, make_older

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
STAFF_ONLY = {"not_forgotten"}
FAILED = {"state": "failed", "result": {"differ": [{"address": "bob@firm.test", "why": "missing"}]}}


@pytest.fixture
def owner(account: Account, alice: User) -> str:
    Membership.objects.get_or_create(account=account, user=alice, defaults={"role": Membership.Role.OWNER})
    return alice.email


def told() -> list[str]:
    tell_of_backups()
    return list(
        Letter.objects.filter(kind__startswith="backup_")
        .order_by("written_at")
        .values_list("kind", flat=True)
    )


def newest() -> Letter:
    return Letter.objects.filter(kind__startswith="backup_").latest("written_at")


def drill(host: Host, why: str, **found: object) -> None:
    job = drills.want(home=host.server.pk, by=BY)
    answer = {"id": str(job.pk), "why": why, **FAILED, **found}
    actions.note_report(home=host.server.pk, said={"jobs": [answer]})
    watch.look()


def test_every_alarm_of_a_repository_has_words_or_is_for_staff():
    kinds = {kind for kind in backup_letters.WORDS if "." not in kind}
    assert kinds == set(ALARMS) - STAFF_ONLY
    assert set(watch.LOOKED_AT) <= set(ALARMS)


@pytest.mark.parametrize("kind", sorted(set(ALARMS) - STAFF_ONLY))
def test_a_trouble_is_told_at_its_beginning_and_its_end(server: Server, owner: str, kind: str):
    alarms.open_once(kind, server.pk, "for staff: 3 objects, aa11", "look")
    for _ in range(3):
        assert told() == ["backup_trouble"]
    begun = newest()
    assert begun.to == owner
    assert begun.context["url"] == f"/servers/{server.pk}/backups"
    assert begun.context["server"] == "post.mailat.test"
    assert begun.context["says"]
    assert begun.context["next"]
    assert "aa11" not in str(begun.context)
    alarms.close(kind, server.pk)
    for _ in range(3):
        assert told() == ["backup_trouble", "backup_well"]
    assert newest().context["says"] not in ("", begun.context["says"])


@pytest.mark.parametrize("kind", ["not_forgotten", "something new"])
def test_what_only_staff_can_mend_is_not_told(server: Server, owner: str, kind: str):
    alarms.open_once(kind, server.pk, "x", "x")
    engine_alarms.open_alarm(key=tasks.AWAY, subject="x", says="x")
    assert told() == []


def test_what_was_not_told_has_no_end(server: Server, owner: str):
    alarms.open_once("old", server.pk, "x", "x")
    alarms.close("old", server.pk)
    assert told() == []


def test_what_comes_and_goes_is_told_once_a_day(server: Server, owner: str):
    for _ in range(3):
        alarms.open_once("old", server.pk, "x", "x")
        told()
        alarms.close("old", server.pk)
        told()
    assert told() == ["backup_trouble", "backup_well"]
    Letter.objects.update(written_at=timezone.now() - DAY - HOUR)
    alarms.open_once("old", server.pk, "x", "x")
    assert told().count("backup_trouble") == 2


def test_each_owner_is_told_and_a_member_is_not(server: Server, owner: str, bob: User):
    Membership.objects.filter(user=bob).delete()
    member = Membership.objects.create(account=server.account, user=bob, role=Membership.Role.MEMBER)
    alarms.open_once("old", server.pk, "x", "x")
    told()
    assert set(Letter.objects.filter(kind="backup_trouble").values_list("to", flat=True)) == {owner}
    member.role = Membership.Role.OWNER
    member.save()
    alarms.open_once("drill", server.pk, "x", "x")
    told()
    assert {one.to for one in Letter.objects.filter(kind="backup_trouble", key__contains=bob.email)} == {
        bob.email
    }


def test_nobody_is_told_of_a_server_that_is_gone(server: Server, owner: str):
    alarms.open_once("old", server.pk, "x", "x")
    Server.objects.filter(pk=server.pk).update(gone_at=timezone.now(), machine_id=None)
    assert told() == []


def test_the_letter_of_a_drill_names_the_mailbox(host: Host, owner: str):
    host.write("snapshots", "one")
    drill(host, "bob@firm.test, folder INBOX: missing")
    assert told() == ["backup_trouble"]
    assert "bob@firm.test" in newest().context["says"]
    drill(host, "", state="done", result={})
    assert told() == ["backup_trouble", "backup_well"]


def test_a_drill_without_room_is_not_told_as_damage(host: Host, owner: str):
    host.write("snapshots", "one")
    drill(host, "the disk has not enough room for it", result={})
    told()
    assert "enough room" in newest().context["says"]
    assert "come back" not in newest().context["says"]


def test_from_the_cause_to_the_letter_it_takes_one_look_each(host: Host, owner: str):
    """The clock looks every five minutes and writes every minute: both together are less than an interval of backups."""
    Repository.objects.update(began_at=timezone.now() - watch.FIRST_WITHIN - timedelta(seconds=1))
    seen = []
    for cause in (
        lambda: None,
        lambda: host.write("snapshots", "one") and make_older(2 * HOUR + timedelta(seconds=1)),
        lambda: Repository.objects.update(room=1),
    ):
        cause()
        tasks.look()
        tell_of_backups()
        seen.append(set(Alarm.objects.filter(closed_at=None).values_list("key", flat=True)))
    kinds = [{key.rpartition(":")[2] for key in keys} for keys in seen]
    assert kinds == [{"none"}, {"old"}, {"old", "growing"}]
    assert Letter.objects.filter(kind="backup_trouble").count() == 3
    assert not Job.objects.exclude(do="drill").exists()
