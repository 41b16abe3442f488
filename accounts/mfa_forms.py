"""What is typed, and what a browser sends for a passkey, to prove who it is."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

BAD = ("max_length", "null_characters_not_allowed")
NO_CODE = _("A code has six digits from your app, or twelve from your list of recovery codes.")


class FactorForm(forms.Form):
    """A code of an app, or a recovery code."""

    code = forms.CharField(
        max_length=40,
        error_messages={"required": _("Enter a code."), **dict.fromkeys(BAD, NO_CODE)},
    )

    def clean_code(self) -> str:
        code = "".join(self.cleaned_data["code"].replace("-", "").split())
        if not (code.isascii() and code.isdigit() and len(code) in (6, 12)):
            raise forms.ValidationError(NO_CODE)
        return code

    def wrong(self) -> None:
        self.add_error(
            "code", _("That is not right, or was used already. An app's code changes every half minute.")
        )


class PasskeyForm(forms.Form):
    """`credential` is what the browser made of our question, as JSON."""

    credential = forms.CharField(
        max_length=20_000,
        error_messages=dict.fromkeys(
            ("required", *BAD), _("Your browser gave no passkey. Try again, or take another way.")
        ),
    )

    def clean_credential(self) -> dict[str, Any]:
        try:
            credential = json.loads(self.cleaned_data["credential"])
        except (ValueError, RecursionError):
            credential = None
        if not isinstance(credential, dict):
            raise forms.ValidationError(self.fields["credential"].error_messages["required"])
        return credential

    def wrong(self) -> None:
        self.add_error("credential", _("That passkey does not fit, or it took too long. Try again."))


class NameForm(forms.Form):
    name = forms.CharField(
        max_length=60,
        strip=True,
        error_messages={
            "required": _("Give it a name, such as “telephone”."),
            "max_length": _("At most 60 letters."),
        },
    )
