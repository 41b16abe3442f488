"""How far a server is, as a list for people: done, now, next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils.translation import gettext as _

from engine.actions import usual_seconds
from engine.models import Run, StepTaken
from servers import proof
from servers.models import Server
from servers.plans import PLACES

# What a customer sees as one thing may be several steps of a program.
MAKING = {
    "machine": ("make_firewall", "order_machine"),
    "name": ("name_ipv4", "name_ipv6"),
    "start": ("wait_agent", "look_at_machine", "drop_machine", "wait_before_another"),
    "set_up": ("set_up", "wait_set_up"),
    "prove": ("prove",),
    "ready": ("announce",),
}
MOVING = {
    "close": ("begin", "look_for_old", "close_mail", "wait_closed", "choose_point"),
    "aside": ("turn_off", "wait_off", "find_addresses", "keep_addresses", "rename_old", "retire"),
    "machine": ("make_firewall", "order_machine", "name_ipv4", "name_ipv6"),
    "start": ("wait_agent", "look_at_machine", "drop_machine", "wait_before_another"),
    "set_up": ("set_up", "wait_set_up", "look_at_silent"),
    "restore": ("wait_restored",),
    "prove": ("prove",),
    "ready": ("announce",),
    "keep": ("wait_release",),
    "old": ("settle", "delete_old", "check_old_gone", "let_addresses_leave"),
}
RETURNING = {
    "off": ("begin", "wait_for_others", "look_at_old"),
    "new": ("delete_new", "check_new_gone"),
    "back": ("return_addresses", "rename_back", "bring_agent_back"),
    "start": ("power_on", "wait_heard"),
    "ready": ("finish",),
}
GROWING = {
    "backup": ("wait_window", "back_up", "wait_backup"),
    "off": ("begin", "turn_off", "wait_off"),
    "change": ("change_type", "wait_changed"),
    "start": ("power_on", "wait_heard"),
    "prove": ("prove",),
    "ready": ("wait_grown", "settle"),
}
ENDING = {
    "grace": ("wait_grace",),
    "machine": ("begin", "stop_others", "wait_for_others", "delete_machine"),
    "look": ("check_gone", "delete_before", "check_before_gone"),
    "traces": ("end_backups", "wait_backups_gone", "remove_traces"),
    "receipt": ("write_receipt", "tell"),
}

STAGES = {"Provision": MAKING, "Rebuild": MOVING, "GoBack": RETURNING, "Resize": GROWING, "Destroy": ENDING}


@dataclass(frozen=True)
class Progress:
    """One line of the list; times are None while unknown, `usual_seconds` comes from our own history."""

    key: str
    says: str
    state: Literal["done", "now", "next"]
    began_at: datetime | None = None
    ended_at: datetime | None = None
    usual_seconds: float | None = None
    waits_for: str = ""
    error: str = ""


def of(server: Server, program: str = "Provision") -> list[Progress]:
    """The list of the server's last run of this program; empty if there was none."""
    run = Run.objects.filter(subject=server.subject, program=program).order_by("-id").first()
    if run is None:
        return []
    stages = STAGES[program]
    taken = list(run.taken.order_by("id"))
    usual = usual_seconds(program)
    at = next((n for n, steps in enumerate(stages.values()) if run.step in steps), 0)
    return [
        _line(server, run, key, [one for one in taken if one.step in steps], n - at, _sum(usual, steps))
        for n, (key, steps) in enumerate(stages.items())
    ]


def _line(
    server: Server, run: Run, key: str, taken: list[StepTaken], distance: int, usual: float | None
) -> Progress:
    says, began = _says(server, run.program, key), min((one.began_at for one in taken), default=None)
    if run.finished_at or distance < 0:
        ended = max((one.ended_at for one in taken), default=None)
        return Progress(key, says, "done", began, ended, usual)
    if distance > 0:
        return Progress(key, says, "next", usual_seconds=usual)
    return Progress(key, says, "now", began or run.step_since, None, usual, _waits(run), _trouble(run))


def _sum(usual: dict[str, float], steps: tuple[str, ...]) -> float | None:
    known = [usual[step] for step in steps if step in usual]
    return sum(known) if known else None


def _says(server: Server, program: str, key: str) -> str:
    city = PLACES[server.place].city
    words = {
        "Provision": {
            "machine": _("Get a machine in %s") % city,
            "name": _("Give it its name"),
            "start": _("Let it start"),
            "set_up": _("Set it up"),
            "prove": _("Send a mail out and back"),
            "ready": _("Hand it over"),
        },
        "Rebuild": {
            "close": _("Close its mail and back up once more"),
            "aside": _("Turn the old machine off and put it aside"),
            "machine": _("Get a machine in %s") % city,
            "start": _("Let it start"),
            "set_up": _("Set it up"),
            "restore": _("Bring everything back"),
            "prove": _("Send a mail out and back"),
            "ready": _("Hand it over"),
            "keep": _("Keep the old machine for a while"),
            "old": _("Delete the old machine"),
        },
        "GoBack": {
            "off": _("Look at the old machine"),
            "new": _("Delete the new machine"),
            "back": _("Give the old machine its addresses and its name again"),
            "start": _("Start it"),
            "ready": _("Hand it over"),
        },
        "Resize": {
            "backup": _("Back it up once more"),
            "off": _("Turn it off"),
            "change": _("Give it a larger machine"),
            "start": _("Start it"),
            "prove": _("Send a mail out and back"),
            "ready": _("Hand it over"),
        },
        "Destroy": {
            "grace": _("Wait, in case you come back"),
            "machine": _("Delete the machine and its disk"),
            "look": _("Ask the provider whether it is gone"),
            "traces": _("Delete what we hold of it"),
            "receipt": _("Write the receipt"),
        },
    }
    return words[program][key]


def _waits(run: Run) -> str:
    """What the current step waits for, in words for the customer."""
    if run.step == "order_machine" and run.args.get("sold_out"):
        return _("The data centre has no such machine free at the moment. We ask again every two minutes.")
    lacking = [proof.says(code) for code in run.args.get("lacks", []) if code != "report"]
    if run.step == "prove" and lacking:
        return _("Waiting for: %s.") % ", ".join(lacking)
    words = {
        "order_machine": _("Waiting for the provider's answer."),
        "wait_agent": _("The machine is starting; we wait until it calls us."),
        "look_at_machine": _("It takes longer than usual, so we ask the provider about the machine."),
        "drop_machine": _("This machine did not start. We take another one."),
        "wait_before_another": _("This machine did not start. We take another one."),
        "wait_set_up": _("The server is setting itself up."),
        "prove": _("Waiting for the server's next report."),
        "check_gone": _("The provider is deleting it."),
        "wait_closed": _("The server makes its last restore point; new mail waits at its senders meanwhile."),
        "wait_off": _("The old machine is turning itself off."),
        "look_at_silent": _("The new machine is silent, so we ask the provider about it."),
        "wait_restored": _("The server fetches what was backed up."),
        "wait_heard": _("The machine is starting; we wait until it calls us."),
        "wait_changed": _("The provider changes the machine, and copies its disk."),
        "wait_grown": _("The server stretches over its larger disk."),
    }
    return words.get(run.step, "")


def _trouble(run: Run) -> str:
    """A failure is told without the provider's wording, which is for staff."""
    if not run.error or run.tries < 2:
        return ""
    return _("The provider does not answer as it should. We try again by ourselves; our staff can see it.")
