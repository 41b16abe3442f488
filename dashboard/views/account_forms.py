"""What the pages about people ask for."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership

BAD = _("Type an e-mail address such as name@example.com.")
MAIL = {"autocomplete": "email", "autocapitalize": "none", "spellcheck": "false"}


def address(label: Any, help_text: Any = "") -> Any:
    return forms.EmailField(
        label=label,
        help_text=help_text,
        max_length=254,
        widget=forms.EmailInput(attrs=MAIL),
        error_messages={
            "required": _("Type an e-mail address."),
            "invalid": BAD,
            "max_length": BAD,
            "null_characters_not_allowed": BAD,
        },
    )


class PersonForm(forms.Form):
    """Its ids are words of their own, and its refusals stand beside the field."""

    def __init__(self, data: Any = None, **more: Any) -> None:
        super().__init__(data, auto_id="%s", label_suffix="", **more)


class InviteForm(PersonForm):
    email = address(_("E-mail address"), _("They get a letter, and come in by signing in with this address."))
    role = forms.ChoiceField(
        label=_("They are to be"),
        choices=[
            (Membership.Role.MEMBER, _("a member, who sees everything and changes nothing")),
            (Membership.Role.OWNER, _("an owner, who may do everything, as you")),
        ],
        error_messages={
            "required": _("Choose one of the two."),
            "invalid_choice": _("Choose one of the two."),
        },
    )


class RoleForm(PersonForm):
    role = forms.ChoiceField(choices=Membership.Role.choices)


class ChangeAddressForm(PersonForm):
    email = address(_("New address"), _("We send a letter with a link there, and one to the old address."))
    old_lost = forms.BooleanField(label=_("Nobody reads the old address any more"), required=False)


class SecondAddressForm(PersonForm):
    email = address(_("Second address"), _("One at another provider, with another password, is best."))


class LostFactorForm(PersonForm):
    email = address(_("The address that you sign in with"))
