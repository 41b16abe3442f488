"""What is typed to sign in."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.tokens import ALPHABET, CODE_LENGTH, tidy_code

BAD = ("invalid", "max_length", "null_characters_not_allowed")


class AddressForm(forms.Form):
    email = forms.EmailField(
        max_length=254,
        error_messages={
            "required": _("Enter your e-mail address."),
            **dict.fromkeys(BAD, _("Enter an e-mail address such as name@example.com.")),
        },
    )

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).strip().lower()


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=40,
        error_messages={
            "required": _("Enter the code from the mail."),
            **dict.fromkeys(BAD, _("The code has eight letters, such as BCDF-GHJK.")),
        },
    )

    def clean_code(self) -> str:
        code = tidy_code(self.cleaned_data["code"])
        if len(code) != CODE_LENGTH or set(code) - set(ALPHABET):
            raise forms.ValidationError(self.fields["code"].error_messages["invalid"])
        return code

    def wrong(self) -> "CodeForm":
        """The same form, saying that this is not the code."""
        self.add_error("code", _("That is not the code from the mail. Check it and type it again."))
        return self
