"""All that is made at Amazon for a server's mail; whatever a key's user may not do of it is found in one look.

What is refused hides what would have come after it. So after a refusal the rest is asked one by one, by names that are known
beforehand: Amazon looks at the permission first, and only then whether there is such a thing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from clients.aws import Aws
from clients.aws_errors import MissingPermission
from clients.aws_policy import CONFIGURATION_SET, TOPIC
from clients.errors import Gone, Refused
from domains.models import Domain
from sending import feedback, identities, standing
from sending.models import Credentials
from sending.refusals import Obstacle, obstacle

Call = Callable[[], object]
NO_TOKEN = "none"  # noqa: S105 - of a subscription that nobody asked for: Amazon answers that there is none


@dataclass(frozen=True)
class Part:
    """Something to be made, and what is asked one by one where that was refused; one that is only `asked` for is not made."""

    name: str
    make: Call
    rest: tuple[Call, ...] = ()
    asked: bool = False


@dataclass
class Round:
    """How far it is: kept with the run, for Amazon may want fewer calls in a second than there are parts."""

    done: list[str]
    found: list[dict[str, Any]]
    follows: list[dict[str, Any]]

    @classmethod
    def read(cls, kept: dict[str, Any]) -> "Round":
        return cls(*(list(kept.get(name, [])) for name in ("done", "found", "follows")))

    def plain(self) -> dict[str, Any]:
        return {"done": self.done, "found": self.found, "follows": self.follows}

    def go_on(self, parts: Iterable[Part]) -> None:
        """Raises TryLater; what was done until then stays."""
        for part in parts:
            if part.name not in self.done:
                self._try(part)
                self.done.append(part.name)

    def _try(self, part: Part) -> None:
        found, follows = (_missing(part.make), []) if part.asked else _made(part.make)
        if found or follows:
            found = [*found, *(one for call in part.rest for one in _missing(call))]
        for one in found:
            if one not in self.found:
                self.found.append(one)
        self.follows += follows

    @property
    def obstacles(self) -> list[Obstacle]:
        """What is missing because something else could not be made is told only if it is all that is known."""
        return [Obstacle(**one) for one in self.found or self.follows[:1]]


def _made(make: Call) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What it was refused for, and what was not there that it needs."""
    try:
        make()
    except Refused as error:
        return [obstacle(error).plain()], []
    except Gone as error:
        return [], [Obstacle("refused", {"says": str(error)}).plain()]
    return [], []


def _missing(call: Call) -> list[dict[str, Any]]:
    """The permission that it lacks; whatever else Amazon says is no answer to this question."""
    try:
        call()
    except MissingPermission as error:
        return [obstacle(error).plain()]
    except (Refused, Gone):
        return []
    return []


def parts(row: Credentials, amazon: Aws, own: list[Domain]) -> list[Part]:
    """In the order in which each needs those before it."""
    ses, topic = amazon.ses, f"arn:aws:sns:{row.region}:{row.aws_account}:{TOPIC}"
    return [
        Part("account", lambda: standing.note(row, ses.account())),
        Part("set", partial(ses.ensure_configuration_set, CONFIGURATION_SET)),
        Part("reports", partial(feedback.ensure, row, amazon), _of_reports(row, amazon, topic)),
        *(
            Part(f"domain:{one.pk}", partial(identities.ensure, one, row.region, amazon), _of(one, amazon))
            for one in own
        ),
        *_only_asked(amazon, topic, own),
    ]


def _of_reports(row: Credentials, amazon: Aws, topic: str) -> tuple[Call, ...]:
    return (
        partial(amazon.sns.sign_anew, topic),
        partial(
            amazon.ses.add_destination,
            CONFIGURATION_SET,
            feedback.DESTINATION,
            topic=topic,
            types=feedback.TYPES,
        ),
        partial(amazon.sns.subscribe, topic, feedback.address_of(row.home)),
    )


def _of(domain: Domain, amazon: Aws) -> tuple[Call, ...]:
    return (
        partial(amazon.ses.identity, domain.name),
        partial(amazon.ses.set_mail_from, domain.name, identities.mail_from_of(domain)),
        partial(amazon.ses.use_configuration_set, domain.name, CONFIGURATION_SET),
    )


def _only_asked(amazon: Aws, topic: str, own: list[Domain]) -> list[Part]:
    """What watching will need, asked before it does; each changes nothing, or only to what it should be."""
    ses, sns = amazon.ses, amazon.sns
    change = partial(
        ses.change_destination, CONFIGURATION_SET, feedback.DESTINATION, topic=topic, types=feedback.TYPES
    )
    calls: dict[str, Call] = {
        "identities": lambda: next(ses.identities(), None),
        "suppressed": lambda: next(ses.suppressed(), None),
        "destinations": partial(ses.destinations, CONFIGURATION_SET),
        "change": change,
        "subscriptions": lambda: next(sns.subscriptions(topic), None),
        "confirm": partial(sns.confirm, topic, NO_TOKEN),
        **{f"dkim:{one.pk}": partial(ses.switch_dkim, one.name, on=True) for one in own},
    }
    return [Part(name, call, asked=True) for name, call in calls.items()]
