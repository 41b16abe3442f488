"""What a password of a mailbox must be: long, not everybody's, and not the address itself."""

import unicodedata
from types import SimpleNamespace
from typing import Any

from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    NumericPasswordValidator,
    UserAttributeSimilarityValidator,
)
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from domains.models import Mailbox
from domains.refusals import BadPassword

LEAST, MOST = 12, 200  # characters
ABOUT = ("local", "address", "domain", "name")


class _Person(SimpleNamespace):
    """What everybody knows of the mailbox's owner; Django's validator asks it for the names of its fields."""

    _meta = Mailbox._meta


@sensitive_variables("password")
def check(password: str, mailbox: Mailbox) -> None:
    """Raises BadPassword with what is wrong, and never with the password."""
    _check_form(password)
    person: Any = _Person(
        local=mailbox.local, address=mailbox.address, domain=mailbox.domain.name, name=mailbox.name
    )
    checks = (
        (
            lambda: CommonPasswordValidator().validate(password),
            _("Many people use this password, so it is tried first."),
        ),
        (lambda: NumericPasswordValidator().validate(password), _("Digits alone are soon tried through.")),
        (
            lambda: UserAttributeSimilarityValidator(ABOUT).validate(password, person),
            _("This password is too much like the address or the name, which everybody knows."),
        ),
    )
    for validate, words in checks:
        try:
            validate()
        except ValidationError:
            raise BadPassword(words, "password") from None


@sensitive_variables("password")
def _check_form(password: str) -> None:
    if len(password) < LEAST:
        raise BadPassword(
            _("A password has at least %d characters; a few words in a row are easy to remember.") % LEAST,
            "password",
        )
    if len(password) > MOST:
        raise BadPassword(_("A password has at most %d characters.") % MOST, "password")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in password):
        raise BadPassword(_("This password has a character that mail programs cannot send."), "password")
    if password != password.strip():
        raise BadPassword(
            _("A password neither begins nor ends with a blank: they are lost too easily."), "password"
        )
