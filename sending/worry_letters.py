"""Worries in words, and the letters and events of those that began or are over; the pages say the same."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as lazy

from accounts import letters
from audit.actions import record
from domains.names import shown
from sending.models import Worry
from servers.desired import host_name
from servers.models import Server

BY = "program:WatchSending"
MISSING_WORDS = lazy("Something about your account at Amazon needs attention.")
WAITS = lazy("Mail that cannot leave waits on your server, for five days.")

# What is wrong, what to do about it, and how its end is told. A code is followed by a dot where its facts say which case it is.
WORDS = {
    "key_stopped": (
        lazy("Amazon refuses the access key by which your server sends; it ends with %(key)s."),
        lazy("The page “Sending” says what Amazon answered and what to do."),
        lazy("Amazon accepts the access key of your server again."),
    ),
    "key_stopped.wrong_key": (
        lazy("Amazon no longer knows the access key by which your server sends; it ends with %(key)s. Somebody has switched it off or deleted it in AWS."),
        lazy("If that was you by mistake, make the key active again in AWS under IAM, Users, Security credentials. Otherwise make a new one there and enter it on the page “Sending”."),
        lazy("Amazon accepts the access key of your server again."),
    ),
    "key_stopped.region_off": (
        lazy("The region %(region)s, by which your server sends, was switched off in your AWS account."),
        lazy("Switch it on in AWS under Account, AWS Regions, or enter the key again on the page “Sending” with another region."),
        lazy("Your server can send by its region again."),
    ),
    "key_stopped.not_signed_up": (
        lazy("Amazon does not serve your AWS account: it waits for a payment method or a confirmation."),
        lazy("Sign in to AWS and finish what it asks for. We see by ourselves when Amazon has accepted it."),
        lazy("Amazon serves your AWS account again."),
    ),
    "key_stopped.suspended": (
        lazy("Amazon has stopped all sending by your AWS account."),
        lazy("Amazon has written to the address of the AWS account why. Answer that letter in the AWS Support Center."),
        lazy("Your AWS account may send again, and waiting mail leaves by itself."),
    ),
    "key_stopped.permission": (
        lazy("Amazon no longer allows the key of your server to do %(action)s, so we cannot set up or watch all that is needed."),
        lazy("In AWS, give the user the policy of step 1 of the page “Sending” as it stands there now."),
        lazy("Amazon allows the key of your server again all that is needed."),
    ),
    "paused.amazon": (
        lazy("Amazon has paused sending by your account."),
        lazy("Amazon has written to the address of the AWS account why. Answer that letter in the AWS Support Center."),
        lazy("Your account may send again, and waiting mail leaves by itself."),
    ),
    "paused.account": (
        lazy("Sending is switched off in your AWS account."),
        lazy("In Amazon SES, the account dashboard says who switched it off, and lets you switch it on again."),
        lazy("Sending is switched on again in your AWS account, and waiting mail leaves by itself."),
    ),
    "review": (
        lazy("Amazon is reviewing your account, because too many mails bounced or people complained. Mail still leaves."),
        lazy("Look on the page “Sending” which mailbox wrote to wrong addresses, and answer Amazon's letter in the AWS Support Center before its date. Otherwise sending is paused."),
        lazy("Amazon's review of your account is over, and all is well."),
    ),
    "rates": (
        lazy("Of %(sent)s recipients in a day, %(bounces)s do not exist and %(complaints)s complained. Amazon reviews an account at 5 %% that do not exist, or 0.1 %% that complain."),
        lazy("A mailbox that causes much of it is slowed down by us, alone. Look on the page “Sending” which one it is; if its owner did not write these mails, change its password."),
        lazy("Bounces and complaints of your server's mail are well below the lines at which Amazon looks."),
    ),
    "quota": (
        lazy("Of the %(most)s recipients that Amazon allows your account in a day, %(sent)s are used."),
        lazy("When all are used, mail waits on your server and leaves as the hours pass. If that happens often, ask Amazon for a higher sending quota in AWS under Service Quotas."),
        lazy("Enough is left of the day's recipients again: %(sent)s of %(most)s are used."),
    ),
    "domain": (
        lazy("Amazon no longer finds the records of %(domain)s in the DNS. Mail still leaves in its name, but not for long."),
        lazy("Enter the records again as they stand on the domain's page. Amazon gives up looking for them after some days."),
        lazy("Amazon finds the records of %(domain)s again."),
    ),
    "domain.lost": (
        lazy("Amazon no longer lets mail leave in the name of %(domain)s, because its records are missing in the DNS."),
        lazy("Enter the records again as they stand on the domain's page. We see by ourselves when Amazon has found them."),
        lazy("Mail leaves in the name of %(domain)s again."),
    ),
    "key_old": (
        lazy("The access key by which your server sends, which ends with %(key)s, was entered %(days)s days ago. Amazon advises to change keys after 90 days."),
        lazy("Make a second access key in AWS and enter it on the page “Sending”. The old one works until the new one is proven; then delete the old one in AWS."),
        lazy("The access key of your server is a new one."),
    ),
}  # fmt: skip
KEEPS_MAIL = ("paused", "key_stopped", "domain.lost")
NUMBERS = ("sent", "most", "bounces", "complaints", "days")


def says(code: str, facts: Mapping[str, Any]) -> str:
    """What is wrong."""
    return _filled(code, facts, 0)


def advice(code: str, facts: Mapping[str, Any]) -> str:
    """What becomes of mail meanwhile, and what the reader can do."""
    waits = f"{WAITS} " if keeps_mail(code, facts) else ""
    return waits + _filled(code, facts, 1)


def keeps_mail(code: str, facts: Mapping[str, Any]) -> bool:
    """Whether mail does not leave while it lasts."""
    case = _case(code, facts)
    return case.startswith(KEEPS_MAIL) and case != "key_stopped.permission"


def began(worry: Worry) -> None:
    """An event, and a letter to each owner; by our own mail, never by theirs."""
    _record("sending.trouble_began", worry)
    told = worry.told_at.isoformat() if worry.told_at else ""
    _write(worry, "sending_trouble", f"{worry.pk}:{told}", says(worry.code, worry.facts))


def over(worry: Worry, *, silently: bool) -> None:
    """An event, and a letter to each owner unless it is `silently` over."""
    _record("sending.trouble_ended", worry)
    if not silently:
        _write(worry, "sending_well", str(worry.pk), _filled(worry.code, worry.facts, 2))


def _write(worry: Worry, kind: str, key: str, words: str) -> None:
    server = Server.objects.filter(pk=worry.home).first()
    if server is None:
        return
    letters.to_owners(
        worry.account,
        kind,
        key=f"{kind}:{key}",
        server=host_name(server),
        says=words,
        next=advice(worry.code, worry.facts),
        url=f"/mail/sending/{worry.home}",
    )


def _record(action: str, worry: Worry) -> None:
    record(
        action,
        by=BY,
        account=worry.account_id,
        subject=f"server:{worry.home}",
        code=worry.code,
        says=says(worry.code, worry.facts),
    )


def _case(code: str, facts: Mapping[str, Any]) -> str:
    kind = code.partition(":")[0]
    lost = "lost" if kind == "domain" and not facts.get("verified", True) else ""
    case = {"key_stopped": facts.get("why"), "paused": facts.get("by"), "domain": lost}.get(kind)
    return f"{kind}.{case}" if f"{kind}.{case}" in WORDS else kind


def _filled(code: str, facts: Mapping[str, Any], part: int) -> str:
    words = WORDS.get(_case(code, facts))
    return str(words[part] if words else MISSING_WORDS) % defaultdict(lambda: "…", _readable(facts))


def _readable(facts: Mapping[str, Any]) -> dict[str, str]:
    numbers = {name: f"{facts[name]:,}" for name in NUMBERS if isinstance(facts.get(name), int)}
    named = {"domain": shown(str(facts["domain"]))} if "domain" in facts else {}
    return {**{name: str(value) for name, value in facts.items()}, **numbers, **named}
