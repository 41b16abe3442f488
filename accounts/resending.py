"""A letter that did not arrive is written once more, to the same address and in the same words."""

from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts import letters, mail
from accounts.models import Letter, SignInLink
from audit.actions import record


class NotAgain(ValueError):
    """The letter may not be sent again; the text says why and what to do instead."""


def why_not(letter: Letter) -> str:
    """Why this letter is not sent once more, or nothing."""
    if not (letter.sent_at or letter.dropped):
        return "It is still on its way: look at its run."
    if letter.kind in settings.LETTER_WAYS or _lets_in(letter):
        return "It lets somebody in. Only they can ask for a new one, on our pages."
    return f"It would say nothing: {reason}." if (reason := mail.useless(letter)) else ""


def _lets_in(letter: Letter) -> bool:
    """Whether it bears a link that opens now."""
    link = letter.context.get(mail.LINK)
    return bool(link and SignInLink.objects.live().filter(pk=UUID(link)).exists())


@transaction.atomic
def send_again(*, letter: Letter, once: UUID, by: str, reason: str) -> Letter:
    """Writes the letter once more; the same `once` is the same letter. Raises NotAgain."""
    letter = Letter.objects.select_for_update().get(pk=letter.pk)
    if trouble := why_not(letter):
        raise NotAgain(trouble)
    key = f"again:{letter.pk}:{once}"
    fresh = letters.post(letter.kind, to=letter.to, key=key, account=letter.account_id, **letter.context)
    record(
        "letter.sent_again",
        by=by,
        account=letter.account_id,
        subject=f"letter:{fresh.pk}",
        kind=letter.kind,
        first=str(letter.pk),
        reason=reason,
    )
    return fresh
