"""What the mail pages ask for. Whether it can be is for the actions to say; their refusals come back beside the fields."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from domains.models import Domain, Mailbox
from domains.refusals import Refusal
from domains.ses import PORTS, REGIONS

Words = Any  # text, or a translation that waits for its reader
GB = Decimal(10**9)
AN_ID = re.compile(r"[A-Z0-9]{4,32}")  # of anything at Amazon; a secret has small letters, too, and is longer
PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class PageForm(forms.Form):
    """One of several forms of a page: its fields' ids begin with its name, so that no two are the same."""

    def __init__(self, data: Any = None, *, name: str = "", initial: dict[str, Any] | None = None) -> None:
        auto_id = f"{name}-%s" if name else "%s"
        super().__init__(data, auto_id=auto_id, label_suffix="", initial=initial)

    def refuse(self, refusal: Refusal) -> None:
        """The refusal's sentence, beside the field that it is about."""
        self.add_error(refusal.field if refusal.field in self.fields else None, str(refusal))


def text(
    label: Words, most: int, help_text: Words = "", *, widget: forms.Widget | None = None, **more: Any
) -> Any:
    """A field of words; that one is missing is told by the action, in better words."""
    kind = widget or forms.TextInput(attrs=PLAIN)
    return forms.CharField(
        label=label, max_length=most, required=False, help_text=help_text, widget=kind, strip=True, **more
    )


def addresses(label: Words, help_text: Words) -> Any:
    area = forms.Textarea(attrs={**PLAIN, "rows": 4})
    return text(label, 10_000, help_text, widget=area)


def lines(typed: str) -> list[str]:
    """Addresses as people list them: on lines of their own, or with commas between."""
    return [part.strip() for part in typed.replace(",", "\n").replace(";", "\n").splitlines() if part.strip()]


def number(label: Words, help_text: Words = "") -> Any:
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        min_value=1,
        max_value=10**7,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        error_messages={"required": _("Type a number."), "invalid": _("Type a whole number.")},
    )


def gigabytes() -> Any:
    return forms.DecimalField(
        label=_("Size in GB"),
        help_text=_("How much mail it may hold. When it is full, new mail goes back to its sender."),
        min_value=Decimal("0.01"),
        max_value=Decimal(100_000),
        decimal_places=3,
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "any"}),
        error_messages={
            "required": _("Type a size in GB, such as 5."),
            "invalid": _("Type a number, such as 5 or 0.5."),
        },
    )


class DomainForm(PageForm):
    name = text(_("Domain"), 300, _("What stands behind the @ of your addresses, such as firm.example."))
    server = forms.UUIDField(required=False)


class CatchAllForm(PageForm):
    mailbox = forms.ChoiceField(
        label=_("Mail to addresses that do not exist"),
        required=False,
        error_messages={"invalid_choice": _("Choose one of the mailboxes.")},
    )


class MtaStsForm(PageForm):
    mode = forms.ChoiceField(
        label=_("Promise of encryption to other servers"),
        choices=[
            (Domain.MtaSts.NONE, _("none")),
            (Domain.MtaSts.TESTING, _("testing")),
            (Domain.MtaSts.ENFORCE, _("enforce")),
        ],
        help_text=_(
            "Its technical name is MTA-STS. With “testing”, other mail servers report trouble and deliver all the same. "
            "With “enforce”, they deliver only to your server, and only encrypted."
        ),
        error_messages={"invalid_choice": _("Choose one of the three.")},
    )


class AliasForm(PageForm):
    local = text(_("Address"), 100, _("What stands before the @, such as info or sales."))
    targets = addresses(_("Its mail goes to"), _("One address on each line, here or elsewhere."))


class TargetsForm(PageForm):
    targets = addresses(_("Its mail goes to"), _("One address on each line, here or elsewhere."))


class NewMailboxForm(PageForm):
    domain = forms.ChoiceField(
        label=_("Domain"), error_messages={"invalid_choice": _("Choose one of your domains.")}
    )
    local = text(_("Address"), 100, _("What stands before the @."))
    name = text(
        _("Name"),
        120,
        _("How others see the person who writes. It may stay empty."),
        widget=forms.TextInput(),
    )
    quota = gigabytes()
    invite_to = text(
        _("Invite its owner"),
        254,
        _(
            "Another address of theirs. They get a link and choose the password, so that nobody else knows it."
        ),
        widget=forms.EmailInput(attrs=PLAIN),
    )


class SettingsForm(PageForm):
    name = text(_("Name"), 120, _("How others see the person who writes."), widget=forms.TextInput())
    quota = gigabytes()
    per_hour = number(
        _("People it may write to in an hour"),
        _("A mailbox that writes to more is stopped: by then somebody else may have its password."),
    )
    per_day = number(_("People it may write to in a day"))


class ForwardForm(PageForm):
    targets = addresses(
        _("Send a copy of every mail to"), _("One address on each line. Empty: nothing is forwarded.")
    )
    keep_copy = forms.BooleanField(label=_("Keep the mail here as well"), required=False)


class VacationForm(PageForm):
    subject = text(_("Subject of the answer"), 200, widget=forms.TextInput())
    text = text(
        _("Answer while away"),
        5000,
        _("Sent once in a while to each person who writes. Empty: no answer is sent."),
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    begins = forms.DateField(
        label=_("First day"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Type a day, such as 2026-12-24.")},
    )  # fmt: skip
    ends = forms.DateField(
        label=_("Last day"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Type a day, such as 2027-01-02.")},
    )  # fmt: skip


class AppPasswordForm(PageForm):
    label = text(
        _("For which device or program?"),
        60,
        _("Such as “Telephone” or “Scanner in the office”."),
        widget=forms.TextInput(),
    )
    once = forms.CharField(max_length=40)


class SuspendForm(PageForm):
    why = text(
        _("Why"), 200, _("For the people of your account. It may stay empty."), widget=forms.TextInput()
    )


class InviteForm(PageForm):
    invite_to = text(
        _("Address to send it to"),
        254,
        _("Another address of the person, which they can read now."),
        widget=forms.EmailInput(attrs=PLAIN),
    )


class OneForm(PageForm):
    """Which one of a list is meant."""

    one = forms.UUIDField()


class KeyInput(forms.TextInput):
    """Shows again what was typed only if that can be a key's id: it may be the secret, in the wrong field."""

    def format_value(self, value: Any) -> str | None:
        return str(value) if value and AN_ID.fullmatch(str(value).strip()) else None


class WayOutForm(PageForm):
    region = forms.ChoiceField(
        label=_("AWS region"),
        choices=[("", _("Choose a region")), *((key, f"{key} ({place})") for key, place in REGIONS.items())],
        required=False,
        help_text=_("The same as in step 1: the permissions are for one region."),
        error_messages={"invalid_choice": _("Choose one of the regions.")},
    )
    access_key = text(_("Access key ID"), 200, _("It begins with AKIA."), widget=KeyInput(attrs=PLAIN))
    secret = text(
        _("Secret access key"),
        200,
        _(
            "40 characters. It is sealed at once and never shown again; only the program that speaks with Amazon opens it."
        ),
        widget=forms.PasswordInput(attrs={**PLAIN, "autocomplete": "new-password"}),
    )
    sender_domain = forms.ChoiceField(
        label=_("Sending domain"),
        required=False,
        help_text=_("Notices that have no sender of their own leave in its name."),
        error_messages={"invalid_choice": _("Choose one of the domains of this server.")},
    )
    port = forms.TypedChoiceField(
        label=_("Port"),
        choices=[(port, port) for port in PORTS],
        coerce=int,
        required=False,
        empty_value=str(PORTS[0]),
        error_messages={"invalid_choice": _("Choose one of the ports.")},
        help_text=_("587, unless mail does not leave; then try 2587."),
    )


class SenderForm(PageForm):
    sender_domain = forms.ChoiceField(
        label=_("Sending domain"),
        required=False,
        help_text=_(
            "Notices that have no sender of their own leave in its name. It must be verified with SES."
        ),
        error_messages={"invalid_choice": _("Choose one of the domains of this server.")},
    )


class TestMailForm(PageForm):
    to = text(
        _("Send it to"),
        254,
        _("An address of yours at another provider, so that you see what others get."),
        widget=forms.EmailInput(attrs=PLAIN),
    )
    from_domain = forms.ChoiceField(
        label=_("From postmaster at"),
        required=False,
        error_messages={"invalid_choice": _("Choose one of the domains of this server.")},
    )


class PasswordForm(PageForm):
    password = forms.CharField(
        label=_("New password"), max_length=200, required=False, strip=False,
        widget=forms.PasswordInput(attrs={**PLAIN, "autocomplete": "new-password"}),
    )  # fmt: skip


def settings_of(mailbox: Mailbox) -> dict[str, object]:
    quota = (Decimal(mailbox.quota) / GB).quantize(Decimal("0.001")).normalize()
    return {
        "name": mailbox.name,
        "quota": f"{quota:f}",
        "per_hour": mailbox.per_hour,
        "per_day": mailbox.per_day,
    }
