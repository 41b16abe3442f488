"""What happened, in plain words: a sentence for each action that is recorded."""

import re
from collections import defaultdict
from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from accounts.models import User

STATES = {
    "being made": lazy("Being made"),
    "working": lazy("Working"),
    "attention": lazy("Needs attention"),
    "down": lazy("Down"),
    "ending": lazy("Ending"),
    "gone": lazy("Gone"),
}

# `record("noun.verb", …)`; a fact in brackets is filled in where the event has it.
ACTIONS = {
    "account.opened": lazy("The account was opened"),
    "agent.enrolled": lazy("The server called us for the first time"),
    "destruction.begun": lazy("The deletion began"),
    "destruction.called_off": lazy("The deletion was called off"),
    "destruction.finished": lazy("The deletion was finished, and its receipt written"),
    "destruction.removed": lazy("Deletion: %(what)s – %(answer)s"),  # noqa: RUF001
    "destruction.scheduled": lazy("The deletion of the server was scheduled"),
    "link.asked": lazy("A link to sign in was asked for"),
    "link.sent": lazy("A link to sign in was sent"),
    "person.joined": lazy("A person joined the account"),
    "person.left": lazy("A person left the account"),
    "person.renamed": lazy("Changed their name"),
    "person.signed_in": lazy("Signed in"),
    "person.signed_out": lazy("Signed out"),
    "ping.read_again": lazy("A message from Gumroad was read once more"),
    "server.heard_again": lazy("The server reports again"),
    "server.late": lazy("A report of the server was late"),
    "server.lost": lazy("The server fell silent"),
    "server.machine_dropped": lazy("A machine that did not start was given back"),
    "server.machine_ordered": lazy("A machine of the type %(type)s was rented"),
    "server.ordered_to_be": lazy("The server was told how to set itself up"),
    "server.proven": lazy("The server was checked, and works"),
    "server.ready": lazy("The server was handed over"),
    "server.wanted": lazy("Ordered the server “%(name)s”"),
    "staff.made": lazy("A person joined the staff of Mailat"),
    "subscription.began": lazy("The subscription began"),
    "subscription.ended": lazy("The subscription ended"),
    "subscription.ending": lazy("The subscription was cancelled, and runs to its end"),
    "subscription.plan_changed": lazy("The plan was changed from %(before)s to %(after)s"),
    "subscription.resumed": lazy("The subscription goes on"),
    "subscription.server_lost": lazy(
        "The subscription goes on, but its server “%(name)s” was already deleted"
    ),
}


def sentence(action: str, facts: Mapping[str, object]) -> str:
    """What the event says to a person; the action's own name where there is no sentence for it."""
    words = ACTIONS.get(action)
    if words is None:
        return re.sub(r"[._]+", " ", action).capitalize()
    return str(words) % defaultdict(lambda: "…", facts)


def who(by: str, reader: User, people: Mapping[int, User]) -> str:
    """Who did it; people of other accounts are never named."""
    kind, _colon, number = by.partition(":")
    if kind == "user" and number.isdigit():
        return _person(int(number), reader, people)
    if kind == "staff":
        return _("Mailat staff")
    if kind == "gumroad":
        return "Gumroad"
    return _("Mailat, by itself")


def _person(number: int, reader: User, people: Mapping[int, User]) -> str:
    if number == reader.pk:
        return _("You")
    person = people.get(number)
    return (person.name or person.email) if person else _("Somebody who has left")


def state(word: str) -> str:
    return str(STATES.get(word, word))
