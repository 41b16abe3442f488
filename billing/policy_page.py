"""docs/gumroad.md, made from what the code acts by."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from billing.last_look import CALM, CLOSE, LAST_HOURS
from billing.policy import EVENTS, PUZZLES, RETURNS, STATES, THEN
from billing.policy_cases import CASES
from billing.reconcile import LATE_AFTER, MAY_COME_BACK, OVERLAP
from servers.programs.destroy import DOUBTED_AT_MOST

PAGE = Path(__file__).resolve().parent.parent / "docs" / "gumroad.md"

INTRO = """# What follows from what Gumroad tells

Made from `billing/policy.py` and `billing/policy_cases.py` by `manage.py gumroad_policy`; a test holds it against the code.

A ping of Gumroad's is not signed. So none is believed: it is kept, and says which sale or subscription is to be read again
from the API, always with the subscription's newest charge, and what the API answers is carried out. The same is done by the
nightly reconciliation, for pings get lost."""

LISTENING = """## What has to be set up

The Ping endpoint in Gumroad's settings is needed for sales: it is told of nothing else, but also while the token is not good. It is
the seller's to enter: the site's address with `/hooks/gumroad/` and the webhook's secret. Everything else Mailat does by itself, with
the token's scope `view_sales`: whenever the clock starts, and with each reconciliation, it looks whether Gumroad tells us of each kind
of event, asks for what is missing, and takes back what goes to a former address of ours. What had to be asked for stands in the audit
log; if Gumroad refuses, staff are told."""

RECONCILING = """## Reconciliation

Each night, by `manage.py reconcile`, or by “Reconcile now” in the admin's list of reconciliations: the sales since {overlap} days
before the last success are read page by page (all of them the first time, and again from the oldest that needed a person), then
each subscription that lives, whose server does, whose charge is disputed, or that ended within {back} days. What is not as Gumroad
tells goes through the same door as a ping. A row says what was read, repaired and not understood. Where the list does not come, the
subscriptions are looked at meanwhile. If none succeeded for {late} hours, staff are told.

While a server waits for its deletion, Gumroad is asked about its subscription each {calm} hours, and in the last {last} minutes
each {close} minutes, because a return may have been told by a ping that was lost. If Gumroad does not answer, the day stays.
But where a ping of that subscription came since Gumroad last answered about it, the deletion waits for an answer, at most {doubt}
days, and staff are told: it may be the word of somebody who pays again."""


def page() -> str:
    """The whole text."""
    hours = 3600
    told = RECONCILING.format(
        overlap=OVERLAP.days,
        back=MAY_COME_BACK.days,
        late=int(LATE_AFTER.total_seconds() / hours),
        calm=int(CALM.total_seconds() / hours),
        last=int(LAST_HOURS.total_seconds() / 60),
        close=int(CLOSE.total_seconds() / 60),
        doubt=DOUBTED_AT_MOST.days,
    )
    parts = [INTRO, LISTENING, _events(), _states(), _money(), _plans(), _cases(), _puzzles(), told]
    return "\n\n".join(parts) + "\n"


def _events() -> str:
    rows = [(f"`{kind}`", one.tells, f"the {one.about}", one.does) for kind, one in EVENTS.items()]
    return "## Events\n\n" + table(("event", "what it tells", "read again", "what follows"), rows)


def _states() -> str:
    rows = [(f"`{word}`", str(one.status.label), one.does) for word, one in STATES.items()]
    return "## Where a subscription stands\n\n" + table(("Gumroad's word", "with us", "what follows"), rows)


def _money() -> str:
    rows = [(one.what, f"`{one.setting}`") for one in RETURNS.values()]
    words = [(f"`{word}`", does) for word, does in THEN.items()]
    return (
        "## Money that goes back\n\nOnly the newest charge counts; a part that was given back is noted on its ping. Each has a "
        "setting, which is `tell` unless it says otherwise.\n\n"
        + table(("what", "setting"), rows)
        + "\n\n"
        + table(("setting", "what follows"), words)
    )


def _plans() -> str:
    return (
        "## The plan\n\nThe plan is what the newest charge was for. Backups are kept as it says from then on; the machine "
        "follows in its window. What is announced for the next charge is shown on the billing page, and nothing else."
    )


def _cases() -> str:
    rows = [(one.what, one.does, f"`{one.proof}`") for one in CASES]
    return "## Oddities\n\n" + table(("what", "what follows", "shown by"), rows)


def _puzzles() -> str:
    rows = [(one.what, one.says, one.advice) for one in PUZZLES.values()]
    text = "## What a person is asked\n\nNothing is guessed. One cause opens one alarm, which closes when the cause is gone."
    return text + "\n\n" + table(("what", "the alarm", "what to do"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(" ".join(cell.split()) for cell in line) + " |" for line in lines)
