"""The state of each step of the assistant: one word, with its shape and a sentence."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from dashboard import sending_words as words
from dashboard.mail.told import Verdict
from domains.models import Domain, Letter
from domains.names import shown
from sending.models import Credentials, Identity, Standing

WORDS = {
    "done": lazy("Done"),
    "now": lazy("Now"),
    "waiting": lazy("Waiting"),
    "attention": lazy("Needs attention"),
    "next": lazy("Later"),
}
GIVEN_UP = timedelta(minutes=15)  # then a server that said nothing will not say it any more


@dataclass(frozen=True)
class Stage:
    """`word` is done, now, waiting, attention or next."""

    word: str
    says: str = ""

    @property
    def label(self) -> str:
        return str(WORDS[self.word])


@dataclass(frozen=True)
class DomainLine:
    """A domain as Amazon knows it."""

    domain: Domain
    name: str
    word: str
    says: str
    why: str = ""
    since: datetime | None = None


def permission(candidate: Credentials | None, in_use: Credentials | None, *, lacks: bool = False) -> Stage:
    """`lacks` says whether watching the key in use found a permission missing."""
    newest = candidate or in_use
    if newest is None:
        return Stage("now", _("Tell Amazon what your server may do there."))
    if lacks:
        return Stage("attention", _("The user at Amazon lacks permissions; what is missing stands above."))
    if any(one.get("code") == "permission" for one in newest.refusals):
        return Stage("attention", _("The user at Amazon lacks permissions; they are listed below."))
    if newest.state == "in_use" or newest.tried_at:
        return Stage("done", _("The user at Amazon may do all that is needed."))
    return Stage("waiting", _("We see it when the key is tried."))


def key(candidate: Credentials | None, in_use: Credentials | None, *, proven: bool) -> Stage:
    if candidate and candidate.refusals:
        return Stage("attention", _("The key cannot be used yet."))
    if candidate:
        return Stage("waiting", _("The key is being tried."))
    if in_use:
        return Stage("done", _("Your server sends by the key that ends with %s.") % in_use.access_key[-4:])
    if proven:
        return Stage(
            "attention",
            _("The key in use is older than this assistant: enter it once more, so that it can be watched."),
        )
    return Stage("now", _("Enter the access key here."))


def account(standing: Standing | None) -> Stage:
    if standing is None:
        return Stage("next", _("We ask Amazon as soon as the key may do it."))
    if standing.trouble:
        return Stage("attention", _("Amazon did not tell how the account is. What it said stands above."))
    if standing.enforcement == "SHUTDOWN" or not standing.sending_enabled:
        return Stage("attention", _("Amazon has paused the sending of this account."))
    if standing.enforcement == "PROBATION":
        return Stage("attention", _("Amazon is reviewing this account, because of bounces or complaints."))
    if standing.production:
        return Stage("done", _("You may write to everybody."))
    if standing.review == "PENDING":
        return Stage("waiting", _("Amazon is looking at your request for production."))
    if standing.review in ("DENIED", "FAILED"):
        return Stage("attention", str(words.REVIEWS[standing.review]))
    return Stage("now", _("The account is in Amazon's sandbox: ask for production."))


def domain_line(domain: Domain, found: Identity | None) -> DomainLine:
    name = shown(domain.name)
    if found is None:
        return DomainLine(domain, name, "unknown", _("not at Amazon yet"))
    why = words.look(found.why) if found.why else ""
    if found.trouble:
        told = words.told(found.trouble)
        return DomainLine(
            domain, name, "bad", _("could not be set up"), f"{told.what} {told.todo}", found.trouble_at
        )
    if found.verified and found.why:
        return DomainLine(
            domain, name, "warn", _("verified, but its records are missing now"), why, found.verified_at
        )
    if found.verified:
        return _verified(domain, name, found)
    word = "bad" if found.dkim_status == "FAILED" else "warn"
    return DomainLine(domain, name, word, _("waits for its records"), why, found.asked_at)


def _verified(domain: Domain, name: str, found: Identity) -> DomainLine:
    if found.mail_from_status in ("PENDING", "FAILED", "TEMPORARY_FAILURE"):
        why = _("Its records for bounces (MX and SPF) are not seen yet. Mail leaves all the same.")
        return DomainLine(domain, name, "good", _("verified"), why, found.verified_at)
    return DomainLine(domain, name, "good", _("verified"), "", found.verified_at)


def domains(lines: list[DomainLine], *, begun: bool) -> Stage:
    if not lines:
        return Stage("now", _("Add a domain first."))
    if not begun or all(one.word == "unknown" for one in lines):
        return Stage("next", _("We set them up at Amazon as soon as the key may do it."))
    if any(one.word == "bad" for one in lines):
        return Stage("attention", _("A domain needs your attention."))
    open_ones = sum(one.word != "good" for one in lines)
    if not open_ones:
        return Stage("done", _("Mail may leave in the name of all of them."))
    says = ngettext("%d domain waits for its records.", "%d domains wait for their records.", open_ones)
    return Stage("waiting", says % open_ones)


def test(letter: Letter | None, *, ready: bool) -> Stage:
    line = letter_line(letter) if letter else None
    if line is None:
        return Stage("now" if ready else "next", _("Write to yourself, and see what Amazon answers."))
    word = {"good": "done", "warn": "waiting"}.get(line.word, "attention")
    return Stage(word, _("Amazon took your last test mail.") if word == "done" else "")


def letter_line(letter: Letter) -> Verdict:
    """What became of a test mail."""
    if letter.answered_at is None and letter.asked_at > timezone.now() - GIVEN_UP:
        return Verdict(
            "warn",
            _("To %s: the server sends it within a minute, and tells what Amazon answers.") % letter.to,
        )
    if letter.answered_at is None:
        return Verdict(
            "bad",
            _("To %s: the server told nothing of it. Look whether it is well, and try again.") % letter.to,
        )
    if 200 <= letter.code < 300:
        facts = {"to": letter.to, "id": letter.answer}
        return Verdict(
            "good",
            _("To %(to)s: Amazon took it, and said “%(id)s”. Look into your inbox, and into the junk folder.")
            % facts,
        )
    if not letter.code:
        return Verdict(
            "bad", _("To %(to)s: it did not reach Amazon. %(why)s") % {"to": letter.to, "why": letter.answer}
        )
    facts = {
        "to": letter.to,
        "why": f"{letter.code} {letter.answer}" if str(letter.code) not in letter.answer else letter.answer,
    }
    return Verdict("bad", _refused(letter.answer) % facts)


def _refused(answer: str) -> str:
    """Source of the answers: https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html."""
    if "not verified" in answer:
        return _(
            "To %(to)s: Amazon refused it: “%(why)s”. While the account is in the sandbox, you can write only to addresses that are verified at Amazon."
        )
    if "Throttling" in answer or "rate exceeded" in answer:
        return _(
            "To %(to)s: Amazon takes no more just now: “%(why)s”. The quota of step 3 is used up; it comes back within a day."
        )
    return _("To %(to)s: Amazon refused it: “%(why)s”.")
