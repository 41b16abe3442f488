"""What may be done on a mailbox's page: its forms, and what each does."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from dashboard.mail import forms
from dashboard.mail.doing import Fields
from dashboard.mail.forms import GB, OneForm, PageForm, lines
from dashboard.mail.room import most_of
from domains import actions
from domains.models import Mailbox
from domains.refusals import Refusal
from servers.models import Server


def forms_of(request: HttpRequest, one: Mailbox) -> dict[str, PageForm]:
    """Each form of the page by its name; the one that was sent holds what was typed."""
    do = request.POST.get("do", "")

    def form(name: str, kind: type[PageForm], /, **initial: Any) -> PageForm:
        return kind(request.POST if do == name else None, name=name, initial=initial)

    return {
        "settings": form("settings", forms.SettingsForm, **forms.settings_of(one)),
        "forward": form(
            "forward", forms.ForwardForm, targets="\n".join(one.forward), keep_copy=one.keep_copy
        ),
        "vacation": form("vacation", forms.VacationForm, **_vacation(one)),
        "revoke": form("revoke", OneForm),
        "suspend": form("suspend", forms.SuspendForm),
        "resume": form("resume", PageForm),
        "invite": form("invite", forms.InviteForm, invite_to=_last_invited(one)),
        "release": form("release", PageForm),
        "unslow": form("unslow", PageForm),
        "restore": form("restore", PageForm),
    }


def _vacation(one: Mailbox) -> dict[str, Any]:
    return {
        "subject": one.vacation_subject,
        "text": one.vacation_text,
        "begins": one.vacation_begins,
        "ends": one.vacation_ends,
    }


def _last_invited(one: Mailbox) -> str:
    newest = one.invitations.order_by("-sent_at").first()
    return newest.to if newest else ""


def acts_of(one: Mailbox, server: Server, by: str) -> dict[str, Callable[[Fields], str]]:
    """What each form does; returns the sentence that is told."""
    return {
        "settings": lambda said: _change(one, server, said, by),
        "forward": lambda said: _forward(one, said, by),
        "vacation": lambda said: _away(one, said, by),
        "revoke": lambda said: _revoke(one, said, by),
        "suspend": lambda said: _suspend(one, said, by),
        "resume": lambda said: _resume(one, by),
        "invite": lambda said: _invite(one, said, by),
        "release": lambda said: _release(one, by),
        "unslow": lambda said: _unslow(one, by),
        "restore": lambda said: _restore(one, server, by),
    }


def _change(one: Mailbox, server: Server, said: Fields, by: str) -> str:
    actions.change_mailbox(
        mailbox=one,
        name=said["name"],
        quota=int(said["quota"] * GB),
        per_hour=said["per_hour"],
        per_day=said["per_day"],
        most=most_of(server),
        by=by,
    )
    return _("The settings were saved.")


def _forward(one: Mailbox, said: Fields, by: str) -> str:
    row = actions.set_forward(mailbox=one, to=lines(said["targets"]), keep_copy=said["keep_copy"], by=by)
    if not row.forward:
        return _("Nothing is forwarded.")
    return _("Every mail goes on to %s.") % ", ".join(row.forward)


def _away(one: Mailbox, said: Fields, by: str) -> str:
    row = actions.set_vacation(
        mailbox=one,
        subject=said["subject"],
        text=said["text"],
        begins=said["begins"],
        ends=said["ends"],
        by=by,
    )
    return _("The answer while away was saved.") if row.vacation_text else _("No answer is sent.")


def _revoke(one: Mailbox, said: Fields, by: str) -> str:
    row = one.app_passwords.select_related("mailbox__domain").filter(pk=said["one"]).first()
    if row is None:
        raise Refusal(_("This app password was revoked already."))
    actions.revoke_app_password(app_password=row, by=by)
    return _("The app password “%s” was revoked.") % row.label


def _suspend(one: Mailbox, said: Fields, by: str) -> str:
    actions.suspend_mailbox(mailbox=one, why=said["why"], by=by)
    return _("%s is suspended: it receives, and nobody can sign in to it.") % one.address


def _resume(one: Mailbox, by: str) -> str:
    actions.resume_mailbox(mailbox=one, by=by)
    return _("%s can be used again.") % one.address


def _invite(one: Mailbox, said: Fields, by: str) -> str:
    sent = actions.invite(mailbox=one, to=said["invite_to"], by=by)
    return _("The invitation goes to %s. Links that were sent before no longer work.") % sent.to


def _release(one: Mailbox, by: str) -> str:
    actions.release_mailbox(mailbox=one, by=by)
    return _("%s may send again as soon as the server has been told.") % one.address


def _unslow(one: Mailbox, by: str) -> str:
    actions.unslow_mailbox(mailbox=one, by=by)
    return _("%s sends as fast as before.") % one.address


def _restore(one: Mailbox, server: Server, by: str) -> str:
    actions.restore_mailbox(mailbox=one, most=most_of(server), by=by)
    return _("%s is there again, with its mail and its passwords.") % one.address
