"""What a page asks of a host's backups; a refusal comes back as a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _

from backups import actions, drills
from backups.models import Job
from dashboard.backups.found import Found
from domains.refusals import Refusal


def want(found: Found, do: str, args: dict[str, Any], by: str) -> Job:
    """Raises Refusal."""
    with told_in_words():
        return actions.want_job(home=found.home, do=do, args=args, by=by)


def want_drill(found: Found, by: str) -> Job:
    """Raises Refusal."""
    with told_in_words():
        return drills.want(home=found.home, by=by)


def set_limits(found: Found, hours: tuple[int, int] | None, kib_s: int | None, by: str) -> None:
    """Raises Refusal."""
    with told_in_words():
        actions.set_limits(home=found.home, hours=hours, kib_s=kib_s, by=by)


@contextmanager
def told_in_words() -> Iterator[None]:
    """Why it cannot be asked, in words."""
    try:
        yield
    except actions.NoBackups:
        raise Refusal(_("This server has no backups any more.")) from None
    except actions.TooManyJobs:
        words = _(
            "The server was asked for %d things already that it has not done. Wait until it has done some."
        )
        raise Refusal(words % actions.MOST_OPEN) from None
