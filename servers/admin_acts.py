"""What staff may do with a server: by actions and programs only, and with a reason."""

from dataclasses import replace
from typing import cast
from uuid import UUID

from audit.staff_acts import Act, CannotBe, Days, Order
from engine import actions as engine
from servers import actions
from servers.models import Destruction, Server, Suspension


def _gone(server: Server) -> str:
    return "The server is gone." if server.gone_at else ""


def _wake(server: Server, order: Order) -> None:
    account = cast(UUID, server.account_id)
    if not engine.wake_up(subject=server.subject, account=account, by=order.by, reason=order.reason):
        raise CannotBe("No program is at work for it.")


WAKE = Act(
    name="wake",
    verb="Wake",
    does="Every program that is at work for the server looks again now, and not when its rest is over. It does what it "
    "would have done by itself, only sooner.",
    do=_wake,
    refuses=_gone,
)


def _suspend(server: Server, order: Order) -> None:
    actions.suspend_sending(server=server, by=order.by, reason=order.reason)


def _is_suspended(server: Server) -> bool:
    return Suspension.objects.filter(server=server, ended_at=None).exists()


SUSPEND = Act(
    name="suspend_sending",
    verb="Suspend sending",
    does="The server is told to let no mail out. What its people send waits in its queue; mail still comes in. The "
    "owners get a letter with the reason, and the page of the server says so.",
    do=_suspend,
    refuses=lambda server: _gone(server) or ("It is suspended already." if _is_suspended(server) else ""),
)


def _resume(server: Server, order: Order) -> None:
    if not actions.resume_sending(server=server, by=order.by, reason=order.reason):
        raise CannotBe("It is not suspended any more.")


RESUME = Act(
    name="resume_sending",
    verb="Resume sending",
    does="Mail leaves the server again, what waited in its queue too. The owners get a letter.",
    do=_resume,
    refuses=lambda server: _gone(server) or ("" if _is_suspended(server) else "It is not suspended."),
)


def _extend(server: Server, order: Order) -> None:
    try:
        actions.extend_grace(server=server, days=order.more["days"], by=order.by, reason=order.reason)
    except actions.CannotExtend as error:
        raise CannotBe(str(error)) from None


def _why_not_later(server: Server) -> str:
    row: Destruction | None = getattr(server, "destruction", None)
    if row is None:
        return _gone(server) or "It is not going to be deleted."
    return "Its deletion has begun." if row.begun_at else ""


EXTEND = Act(
    name="extend_grace",
    verb="Put the deletion off",
    does="The day on which the server is deleted comes so many days later, by thirty at most in all. Until then the "
    "customer can come back. The owners get a letter with the new day.",
    do=_extend,
    refuses=_why_not_later,
    form=Days,
)
SERVER_ACTS = (WAKE, SUSPEND, RESUME, EXTEND)


def _of_server(act: Act) -> Act:
    """The same on the page of what is about one server."""
    return replace(
        act,
        do=lambda row, order: act.do(row.server, order),
        refuses=lambda row: act.refuses(row.server),
    )


DESTRUCTION_ACTS = (_of_server(EXTEND),)
