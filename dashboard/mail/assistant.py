"""The way out through Amazon, as six steps that look for themselves how far they are."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard import sending_words as words
from dashboard.mail import stages
from dashboard.mail.stages import DomainLine, Stage
from dashboard.mail.trial import steps_of
from domains.models import Domain, Letter, WayOut
from domains.names import shown
from domains.ses import REGIONS
from sending.models import Credentials, Identity, Standing, Tester
from servers.models import Server
from servers.progress import Progress

OLD = timedelta(days=90)  # Amazon's own advice for keys
USUAL_REGION = "eu-central-1"
LETTERS = 3  # the latest test mails


@dataclass(frozen=True)
class Trouble:
    """What watching found, and since when."""

    told: words.Told
    since: datetime | None
    of: str = ""


@dataclass(frozen=True)
class Found:
    """All that is known of a server's way out."""

    server: Server
    domains: list[Domain]
    way: WayOut | None
    candidate: Credentials | None
    in_use: Credentials | None
    standing: Standing | None
    identities: dict[UUID, Identity]
    letters: list[Letter] = field(default_factory=list)
    testers: list[Tester] = field(default_factory=list)  # whoever was asked last comes first

    @property
    def living(self) -> Credentials | None:
        return self.in_use or self.candidate

    @property
    def proven(self) -> bool:
        """Whether mail leaves by a way that was tried, or that is older than trying is."""
        return bool(self.way and (self.in_use or not self.candidate))

    @property
    def region(self) -> str:
        newest = self.candidate or self.in_use or self.way
        return newest.region if newest else USUAL_REGION

    @property
    def stale(self) -> bool:
        """Whether the server has another key of its own than the way out was sealed to."""
        agent = getattr(self.server, "agent", None)
        return bool(self.way and self.way.seal_key != (agent.seal_key if agent else ""))

    @property
    def asks_anew(self) -> bool:
        """Whether nobody but the customer knows the secret that would have to be sealed to the server's new key."""
        known = {row.access_key for row in (self.candidate, self.in_use) if row}
        return bool(self.stale and self.way and self.way.access_key not in known)

    @property
    def key_days(self) -> int | None:
        """How old the key in use is, once it is older than a key should be."""
        age = timezone.now() - self.in_use.added_at if self.in_use else timedelta()
        return age.days if age > OLD else None


def found_of(server: Server) -> Found:
    keys = Credentials.objects.filter(home=server.pk).exclude(state="ended").select_related("sender")
    living = {row.state: row for row in keys}
    domains = list(Domain.objects.filter(home=server.pk, account=server.account_id).order_by("name"))
    known = Identity.objects.filter(domain__in=domains)
    asked = Letter.objects.filter(home=server.pk, by__startswith="user:").order_by("-asked_at")
    return Found(
        server=server,
        domains=domains,
        way=WayOut.objects.filter(home=server.pk).select_related("sender").first(),
        candidate=living.get("candidate"),
        in_use=living.get("in_use"),
        standing=Standing.objects.filter(home=server.pk).first(),
        identities={one.domain_id: one for one in known},
        letters=list(asked[:LETTERS]),
        testers=list(Tester.objects.filter(home=server.pk).order_by("-asked_at")),
    )


def headline(found: Found) -> str:
    """The answer to “does mail leave?”."""
    if found.proven and is_kept(found.standing):
        return _("Amazon does not let all mail leave")
    if found.proven:
        return _("Mail leaves through Amazon SES")
    if found.candidate and found.candidate.refusals:
        return _("Your key cannot be used yet")
    return _("Your key is being tried") if found.candidate else _("Sending is not set up yet")


def is_kept(standing: Standing | None) -> bool:
    """Whether Amazon said that nothing leaves, or nothing at all."""
    if standing is None:
        return False
    return bool(standing.trouble) or not standing.sending_enabled or standing.enforcement == "SHUTDOWN"


def kept_by(standing: Standing | None) -> words.Told | None:
    """Why Amazon lets nothing leave although the key is good."""
    if standing is None or (standing.sending_enabled and standing.enforcement != "SHUTDOWN"):
        return None
    return words.told({"code": "suspended" if standing.enforcement == "SHUTDOWN" else "paused"})


def troubles_of(found: Found) -> list[Trouble]:
    """What Amazon refuses us; what a first key is refused for stands beside that key already."""
    known = found.candidate.refusals if found.candidate and not found.in_use else []
    standing, all_of = found.standing, []
    if standing and standing.trouble and standing.trouble not in known:
        all_of.append(Trouble(words.troubled(standing.trouble), standing.trouble_at))
    for domain in found.domains:
        one = found.identities.get(domain.pk)
        if one and one.trouble and one.trouble not in known:
            all_of.append(Trouble(words.troubled(one.trouble), one.trouble_at, shown(domain.name)))
    return all_of


def lacks(found: Found) -> bool:
    """Whether Amazon refused us something for want of a permission while a key is in use."""
    of_domains = [one.trouble for one in found.identities.values()]
    all_of = [found.standing.trouble if found.standing else None, *of_domains]
    return found.in_use is not None and any(one and one.get("code") == "permission" for one in all_of)


def refusals_of(row: Credentials | None) -> tuple[list[words.Told], list[tuple[str, str]]]:
    """What keeps a key from use: in words, and the missing permissions one by one with what each is for."""
    told: list[words.Told] = []
    missing: dict[str, str] = {}
    for one in row.refusals if row else []:
        if one.get("code") == "permission":
            action = str(one.get("facts", {}).get("action", ""))
            missing[action] = words.purpose(action)
        else:
            told.append(words.told(one))
    return told, list(missing.items())


def steps(row: Credentials | None) -> list[Progress]:
    return steps_of(row) if row else []


def context_of(found: Found) -> dict[str, Any]:
    """What the part that looks again shows."""
    told, missing = refusals_of(found.candidate)
    lines = [stages.domain_line(one, found.identities.get(one.pk)) for one in found.domains]
    return {
        "found": found,
        "headline": headline(found),
        "troubles": troubles_of(found),
        "refusals": told,
        "missing": missing,
        "trial": steps(found.candidate),
        "lines": lines,
        "stages": all_stages(found, lines),
        "left": left_of(found.standing),
        "kept": kept_by(found.standing),
        "review": str(words.REVIEWS.get(found.standing.review, "")) if found.standing else "",
        "place": REGIONS.get(found.region, found.region),
        "letter": stages.letter_line(found.letters[0]) if found.letters else None,
    }


def all_stages(found: Found, lines: list[DomainLine]) -> dict[str, Stage]:
    """The five that have a state, by the name of their place on the page."""
    return {
        "permission": stages.permission(found.candidate, found.in_use, lacks=lacks(found)),
        "key": stages.key(found.candidate, found.in_use, proven=found.proven),
        "account": stages.account(found.standing),
        "domains": stages.domains(lines, begun=found.living is not None),
        "test": stages.test(found.letters[0] if found.letters else None, ready=found.proven),
    }


def left_of(standing: Standing | None) -> int | None:
    """Recipients that are left of the last day's quota; None where there is no limit or nothing is known."""
    if standing is None or standing.max24 is None:
        return None
    return max(0, int(standing.max24 - standing.sent24))


def is_busy(all_of: dict[str, Stage]) -> bool:
    """Whether something happens that one may want to watch."""
    return any(all_of[name].word == "waiting" for name in ("key", "test"))
