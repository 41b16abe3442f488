"""What happened to something, as a small table on its own page."""

from django.db.models import Q
from django.utils.safestring import SafeString

from audit import staff_words as words
from audit.models import Event

SHOWN = 10


def events(about: Q, *, q: object) -> SafeString | str:
    """The newest events; `about` must be answered by an index, and `q` finds them all in the list."""
    rows = list(Event.objects.filter(about).defer("prev_hash", "hash").order_by("-id")[: SHOWN + 1])
    cells = [
        (words.link(row, words.moment(row.at)), row.action, words.subject_link(row.by, brief=True))
        for row in rows[:SHOWN]
    ]
    return with_more(
        words.table(("at", "what", "by"), cells), len(rows), words.list_link("audit.event", "All events", q=q)
    )


def of_subject(subject: str) -> SafeString | str:
    return events(Q(subject=subject), q=subject)


def with_more(shown: SafeString | str, rows: int, link: SafeString) -> SafeString | str:
    """A table, and the way to the rest where there is one."""
    return words.sentences([shown, link]) if rows > SHOWN else shown
