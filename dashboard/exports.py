"""What a server's exports are to its customer: what is being made, what can be fetched and until when, and what to say of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from backups import exports
from backups.models import Export, Job
from dashboard.backups.asking import told_in_words
from dashboard.backups.found import Found, found_of
from dashboard.backups.running import Running, running_of
from dashboard.backups.troubles import Told, failure
from dashboard.backups.where import storage_place
from dashboard.mail.forms import PageForm
from domains.models import Mailbox
from domains.refusals import Refusal
from servers.models import Destruction, Server

SHOWN = 200  # files on a page
LATEST = 5  # requests that ended
EVERYONE = "all"
# What each form is good for, where somebody chooses one.
FORMATS = {
    "mbox": (lazy("mbox"), lazy("One file for each folder. Thunderbird, Apple Mail, Evolution and mutt read it.")),
    "maildir": (
        lazy("Maildir"),
        lazy("As mail servers keep it, with every mark and date. For another mail server with Dovecot, or mutt."),
    ),
    "eml": (
        lazy("EML files"),
        lazy("One file for each message, in folders. Opens by double click in Outlook, Thunderbird and Apple Mail."),
    ),
}  # fmt: skip


class AskForm(PageForm):
    """Whose mail, and in which form."""

    mailbox = forms.ChoiceField(
        label=lazy("Whose mail"), error_messages={"invalid_choice": lazy("Choose a mailbox of this server, or all.")}
    )  # fmt: skip
    format = forms.ChoiceField(
        label=lazy("In which form"),
        choices=[(key, words[0]) for key, words in FORMATS.items()],
        error_messages={"invalid_choice": lazy("Choose one of the three."), "required": lazy("Choose one.")},
    )


class DeleteForm(PageForm):
    """Which file is to go."""

    one = forms.UUIDField(widget=forms.HiddenInput)


@dataclass(frozen=True)
class Going:
    """A request that its server has not answered yet, with what it says of it if it is at it now."""

    job: Job
    what: str
    format: str
    running: Running | None
    ready: int


@dataclass(frozen=True)
class File:
    """One that can be fetched; `until` is when it leaves, with its server if that ends before."""

    export: Export
    until: datetime

    @property
    def format(self) -> str:
        return str(FORMATS[self.export.format][0])


@dataclass(frozen=True)
class Failure:
    job: Job
    what: str
    told: Told


@dataclass(frozen=True)
class Exports:
    """What there is of a server's exports; `found` is what is known of its backups."""

    found: Found
    files: list[File] = field(default_factory=list)
    going: list[Going] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)

    @property
    def server(self) -> Server:
        return self.found.server

    @property
    def place(self) -> str:
        """Where the files lie; empty where the storage is none of Hetzner's."""
        return storage_place()

    @property
    def first_leaves(self) -> datetime | None:
        return min((one.until for one in self.files), default=None)

    @cached_property
    def can_ask(self) -> bool:
        """Nothing is asked of a server that is not there yet, or not any more."""
        begun = _destruction(self.server)
        return bool(self.found.repository and self.server.ready_at and not (begun and begun.begun_at))


def of(server: Server) -> Exports:
    return exports_of(found_of(server))


def exports_of(found: Found) -> Exports:
    """What there is now."""
    if found.repository is None:
        return Exports(found)
    ready = Export.objects.ready().filter(repository=found.repository).order_by("-made_at", "address")
    jobs = found.repository.jobs.filter(do=Job.Do.EXPORT).order_by("-asked_at")
    ended = [job for job in jobs.exclude(state=Job.State.WANTED)[:LATEST] if job.state == Job.State.FAILED]
    return Exports(
        found,
        [_file(found.server, one) for one in ready[:SHOWN]],
        list(_going(found)),
        [Failure(job, what_of(job), _failure(job)) for job in ended],
    )


def section(server: Server) -> dict[str, object]:
    """What `exports/section.html` needs."""
    return {"exports": of(server)}


def _file(server: Server, export: Export) -> File:
    end = _destruction(server)
    assert export.expires_at  # noqa: S101 - what is ready ends; the table demands it
    until = min(export.expires_at, end.due_at) if end else export.expires_at
    return File(export, until)


def _destruction(server: Server) -> Destruction | None:
    return getattr(server, "destruction", None)


def _going(found: Found) -> Iterable[Going]:
    running = running_of(found)
    for job in found.open:
        if job.do == Job.Do.EXPORT:
            at_it = running if running and running.job == str(job.pk) else None
            format = str(FORMATS.get(job.args.get("format", ""), ("",))[0])
            yield Going(job, what_of(job), format, at_it, job.exports.ready().count())


def _failure(job: Job) -> Told:
    """Some of what can happen to an export has words of its own."""
    if "delete exports" in job.why:
        return Told(
            _("There is no more room for exports of this server."),
            _("Delete those that you have fetched, then ask again."),
        )
    return failure(job.why)


def what_of(job: Job) -> str:
    """Whose mail was asked for."""
    mailbox = job.args.get("mailbox")
    return address_of(UUID(mailbox)) if mailbox else _("all mailboxes")


def address_of(mailbox: UUID) -> str:
    """As it is called now, or was when it was exported."""
    here = Mailbox.objects.select_related("domain").filter(pk=mailbox).first()
    if here:
        return here.address
    known = Export.objects.filter(mailbox=mailbox).order_by("-begun_at").first()
    return known.address if known else _("a mailbox that is gone")


def forms_of(found: Found, data: Any = None) -> dict[str, PageForm]:
    """What can be asked for."""
    do = data.get("do") if data else ""
    ask = AskForm(data if do == "ask" else None, name="ask", initial={"mailbox": EVERYONE, "format": "mbox"})
    ask.fields["mailbox"].choices = [(EVERYONE, _("All mailboxes, one file each")), *_boxes(found)]  # type: ignore[attr-defined]
    return {"ask": ask, "delete": DeleteForm(data if do == "delete" else None, name="delete")}


def _boxes(found: Found) -> list[tuple[str, str]]:
    here = Mailbox.objects.living().filter(domain__home=found.home).select_related("domain")
    return sorted(((str(one.pk), one.address) for one in here), key=lambda pair: pair[1])


def ask(found: Found, said: dict[str, Any], by: str) -> str:
    """The sentence to be told. Raises Refusal."""
    mailbox = None if said["mailbox"] == EVERYONE else UUID(said["mailbox"])
    with told_in_words():
        exports.want(home=found.home, mailbox=mailbox, format=said["format"], by=by)
    return _("The server was asked for it. You may leave this page: the files stay here for a week.")


def delete(found: Found, said: dict[str, Any], by: str) -> str:
    """The sentence to be told. Raises Refusal."""
    export = Export.objects.ready().filter(repository_id=found.home, pk=said["one"]).first()
    if export is None:
        raise Refusal(_("This file is gone already."))
    exports.delete(export=export, by=by)
    return _("The file of %s was deleted. Nobody can fetch it any more.") % export.address
