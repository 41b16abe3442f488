"""The page of a move in each of its states, with what must be in the database for it."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Account, User
from backups.models import Point
from engine.alarms import open_alarm
from engine.models import Run
from servers.models import Agent, Replacement, Server
from tests.browser.sight import Sight
from tests.dashboard import backups_world, world

STEPS = (
    "begin",
    "close_mail",
    "wait_closed",
    "choose_point",
    "turn_off",
    "wait_off",
    "retire",
    "order_machine",
)


def _server(account: Account) -> tuple[Server, Point]:
    server = world.running(account)
    Server.objects.filter(pk=server.pk).update(machine_id=4711)
    return server, backups_world.point(backups_world.repository(server))


def _page(server: Server) -> str:
    return f"/servers/{server.pk}/rebuild"


def _row(server: Server, point: Point, **fields: Any) -> None:
    about = {"point": point.snapshot, "point_at": point.at, "messages": point.messages, "old_machine": 4711}
    Replacement.objects.create(
        server=server, asked_by="user:1", old_ipv4=server.ipv4, old_ipv6=server.ipv6, **{**about, **fields}
    )


def _run(server: Server, step: str, program: str = "Rebuild") -> None:
    now = timezone.now()
    run = Run.objects.create(
        program=program, subject=server.subject, step=step, step_since=now - timedelta(seconds=40)
    )
    for number, name in enumerate(STEPS if program == "Rebuild" else ()):
        at = now - timedelta(seconds=200 - number * 12)
        run.taken.create(program=program, step=name, began_at=at, ended_at=at + timedelta(seconds=9))


def begins(account: Account, user: User) -> str:
    return _page(_server(account)[0])


def is_gone(account: Account, user: User) -> str:
    server, _point = _server(account)
    Agent.objects.update(health="lost")
    open_alarm(key=f"reap:{server.subject}", subject=server.subject, says="gone")
    return _page(server)


def cannot(account: Account, user: User) -> str:
    return _page(world.running(account))


def moves(account: Account, user: User) -> str:
    server, point = _server(account)
    Server.objects.filter(pk=server.pk).update(rebuilding_since=timezone.now())
    _row(server, point, lost_since=point.at, why="the storage takes no more", queued=3)
    _run(server, "wait_restored")
    running = {"job": "x", "phase": "restore", "done": 2.5e9, "total": 1e10, "left": 60}
    Agent.objects.update(report={**world.REPORT, "backup": {"running": running}})
    return _page(server)


def is_kept(account: Account, user: User) -> str:
    server, point = _server(account)
    now = timezone.now()
    _row(
        server, point, lost_since=point.at, served_at=now, release_at=now + timedelta(days=2, hours=20),
        restored=point.messages, retired_at=now,
    )  # fmt: skip
    _run(server, "wait_release")
    return _page(server)


def returns(account: Account, user: User) -> str:
    server, point = _server(account)
    Server.objects.filter(pk=server.pk).update(rebuilding_since=timezone.now())
    _row(
        server,
        point,
        state=Replacement.State.GOING_BACK,
        why="not all could be restored: mail/firm.test/anna",
    )
    _run(server, "delete_new", "GoBack")
    return _page(server)


def moved(account: Account, user: User) -> str:
    server, point = _server(account)
    now = timezone.now()
    _row(
        server, point, state=Replacement.State.DONE, served_at=now, finished_at=now, restored=point.messages,
        old_machine=None, lost_since=point.at,
    )  # fmt: skip
    Server.objects.filter(pk=server.pk).update(ipv4="192.0.2.99", ipv6="2001:db8:9::1")
    return _page(server)


def server_moves(account: Account, user: User) -> str:
    moves(account, user)
    return f"/servers/{Server.objects.get().pk}"


REBUILD_SIGHTS = [
    Sight("rebuild", begins),
    Sight("rebuild-gone", is_gone),
    Sight("rebuild-none", cannot),
    Sight("rebuild-moves", moves),
    Sight("rebuild-kept", is_kept),
    Sight("rebuild-returns", returns),
    Sight("rebuild-moved", moved),
    Sight("server-moves", server_moves),
]
