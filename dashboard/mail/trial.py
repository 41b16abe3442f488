"""A key on its way into use, as a list of steps for people: done, now, next."""

from django.utils.translation import gettext as _

from engine.actions import usual_seconds
from engine.models import Run, StepTaken
from sending.models import Credentials
from servers.progress import Progress

PROGRAM = "CheckCredentials"
STAGES = {
    "who": ("ask_who",),
    "what": ("ask_what",),
    "set_up": ("set_up",),
    "hand_over": ("hand_over",),
    "letter": ("ask_for_proof", "wait_proven", "rest", "take_back", "wait_mended"),
    "use": ("use",),
}


def steps_of(row: Credentials) -> list[Progress]:
    """Where the trial of this key is; empty before it began."""
    run = Run.objects.filter(subject=row.subject, program=PROGRAM).order_by("-id").first()
    if run is None:
        return []
    taken, usual = list(run.taken.order_by("id")), usual_seconds(PROGRAM)
    at = next((n for n, steps in enumerate(STAGES.values()) if run.step in steps), 0)
    return [
        _line(row, run, key, [one for one in taken if one.step in steps][-1:], n - at, usual.get(steps[0]))
        for n, (key, steps) in enumerate(STAGES.items())
    ]


def _line(
    row: Credentials, run: Run, key: str, last: list[StepTaken], distance: int, usual: float | None
) -> Progress:
    says = _says(key)
    if run.finished_at or distance < 0:
        began, ended = (last[0].began_at, last[0].ended_at) if last else (None, None)
        return Progress(key, says, "done", began, ended, usual)
    if distance > 0:
        return Progress(key, says, "next", usual_seconds=usual)
    return Progress(key, says, "now", run.step_since, None, usual, _waits(row, key), _trouble(run))


def _says(key: str) -> str:
    return {
        "who": _("Ask Amazon whose key it is"),
        "what": _("Ask what the account may send"),
        "set_up": _("Set up your domains at Amazon, and reports of bounces"),
        "hand_over": _("Seal it to your server"),
        "letter": _("Your server signs in and sends a letter that nobody gets"),
        "use": _("Take it into use"),
    }[key]


def _waits(row: Credentials, key: str) -> str:
    if row.refusals:
        return _("Something must be mended first; it stands above.")
    if key == "letter":
        return _("Waiting for your server to tell what Amazon answered, usually a minute or two.")
    return _("Waiting for Amazon's answer.")


def _trouble(run: Run) -> str:
    """A failure is told without the wording of programs, which is for staff."""
    if not run.error or run.tries < 2:
        return ""
    return _("Amazon cannot be reached, or does not answer as it should. We try again by ourselves.")
