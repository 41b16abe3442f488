"""What an owner wants back, from the form to the job that is asked of the host."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from backups.models import Point
from dashboard.backups import folders, said
from dashboard.backups.boxes import Standing
from dashboard.mail.forms import PageForm, Words, text
from domains.models import Mailbox

ALL, FOLDER, CHOSEN = "all", "folder", "chosen"
EVERY = "*"  # of the folders; "" is the inbox
WORDS = ("from", "subject", "to")


YEARS = range(1970, 2101)


def _day(label: Words) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": lazy("Type a day, such as 2026-11-02.")}, validators=[_is_of_mail],
    )  # fmt: skip


def _is_of_mail(day: date) -> None:
    if day.year not in YEARS:
        raise forms.ValidationError(lazy("Type a day between 1970 and 2100."))


class RestoreForm(PageForm):
    """The same for what is asked and for its confirmation, in which everything is hidden."""

    which = forms.ChoiceField(choices=[(name, name) for name in (ALL, FOLDER, CHOSEN)])
    folder = forms.CharField(max_length=said.FOLDER, required=False, strip=False, label=lazy("Folder"))
    into = forms.CharField(max_length=36, required=False, label=lazy("Into the mailbox"))
    since = _day(lazy("First day"))
    until = _day(lazy("Last day"))
    sender = text(lazy("Sender has"), 200, lazy("A name or an address, or a part of it."))
    subject = text(lazy("Subject has"), 200)
    recipient = text(lazy("Recipients have"), 200)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("which") == CHOSEN and not self.errors:
            self._clean_chosen(found)
        if found.get("which") == FOLDER and not said.is_folder(found.get("folder")):
            self.add_error("folder", lazy("Choose one of the folders."))
        return found

    def _clean_chosen(self, found: dict[str, Any]) -> None:
        if not any(found.get(name) for name in ("since", "until", "sender", "subject", "recipient")):
            self.add_error("since", lazy("Say at least one thing of the messages: a day, or some words."))
        if found.get("since") and found.get("until") and found["since"] > found["until"]:
            self.add_error("until", lazy("The last day is before the first one."))
        if found.get("folder") != EVERY and not said.is_folder(found.get("folder")):
            self.add_error("folder", lazy("Choose one of the folders."))


@dataclass(frozen=True)
class Wish:
    """What is to come back, and into which mailbox: the one that it was in, unless that is not served any more."""

    which: str
    folder: str | None
    chosen: dict[str, Any] | None
    into: Mailbox

    @property
    def folder_shown(self) -> str:
        return folders.shown(self.folder) if self.folder is not None else ""


def wish_of(form: RestoreForm, source: str, standing: Standing, served: list[Mailbox]) -> Wish | None:
    """None, with the error on the form, where there is no mailbox that it can come back into."""
    asked = source if standing.word == "served" else form.cleaned_data["into"]
    into = next((one for one in served if str(one.pk) == asked), None)
    if into is None:
        form.add_error("into", _("Choose the mailbox that the mail shall come into."))
        return None
    which, folder = form.cleaned_data["which"], form.cleaned_data["folder"]
    chosen = _chosen(form.cleaned_data) if which == CHOSEN else None
    return Wish(which, None if which == ALL or folder == EVERY else folder, chosen, into)


def _chosen(found: dict[str, Any]) -> dict[str, Any]:
    """As the host reads it: times in Unix time, of which `before` is the first that is not meant."""
    until = found["until"] + timedelta(days=1) if found["until"] else None
    return {
        "since": _start(found["since"]),
        "before": _start(until),
        "from": found["sender"],
        "subject": found["subject"],
        "to": found["recipient"],
    }


def _start(day: date | None) -> int | None:
    """When the day begins in the reader's zone, and not before all time: a host takes no other."""
    if day is None:
        return None
    return max(0, int(datetime.combine(day, time(), tzinfo=timezone.get_current_timezone()).timestamp()))


def args_of(wish: Wish, point: Point, source: str) -> dict[str, Any]:
    """The job's fields in the order; `into` only where it is another mailbox."""
    args: dict[str, Any] = {"point": point.snapshot, "mailbox": source}
    if wish.folder is not None:
        args["folder"] = wish.folder
    if wish.chosen is not None:
        args["chosen"] = wish.chosen
    if str(wish.into.pk) != source:
        args["into"] = str(wish.into.pk)
    return args


def new_folder(point: Point) -> str:
    """What the host calls the folder in which everything comes back, by its own clock's zone."""
    return f"Restored {point.at.astimezone(UTC):%Y-%m-%d %H%M}"


def criteria(chosen: dict[str, Any]) -> list[tuple[str, str]]:
    """What was said of chosen messages, as a list to be read; what is stored may be older than this program."""
    found = []
    since, before = _date(chosen.get("since")), _date(chosen.get("before"))
    if since:
        found.append((_("From the day"), since))
    if before:
        found.append((_("Until the day"), before - timedelta(days=1)))
    lines = [(label, f"{day:%Y-%m-%d}") for label, day in found]
    names = {"from": _("Sender has"), "subject": _("Subject has"), "to": _("Recipients have")}
    return lines + [(label, str(chosen[name])[:200]) for name, label in names.items() if chosen.get(name)]


def _date(at: object) -> date | None:
    if type(at) is not int or not -(10**11) < at < 10**11:
        return None
    return timezone.localtime(datetime.fromtimestamp(0, UTC) + timedelta(seconds=at)).date()
