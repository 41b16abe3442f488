"""Customers' keys and what Amazon says of their accounts, for staff who help them. No page shows a secret or a whole key."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from audit import staff_tables
from audit import staff_words as words
from audit.staff_lists import Choice, OfHome, StaffList, as_uuid
from engine import staff_words
from sending import admin_asked, admin_feedback, admin_watched  # noqa: F401 - they register themselves
from sending.models import Credentials, Identity, Standing, Topic


class KeyState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "all": ("all", Q),
        "candidate": ("being tried", lambda: Q(state="candidate")),
        "in_use": ("in use", lambda: Q(state="in_use")),
        "ended": ("ended", lambda: Q(state="ended")),
    }


@admin.register(Credentials)
class CredentialsList(OfHome):
    order = ("-added_at", "id")
    list_display = ("ends_with", "status", "lacks", "of_account", "of_home", "region", "added")
    fields = (
        "ends_with", "status", "lacks", "of_account", "of_home", "region", "port", "arn", "of_sender", "of_secret", "whom",
        "added", "checked", "tried", "used", "ended", "runs", "events", "id",
    )  # fmt: skip
    list_filter = (KeyState,)
    list_select_related = ("account", "sender")
    search_fields = ("arn",)
    search_help_text = (
        "The last four letters of a key, Amazon's account, or the id of a key, a server or an account"
    )
    nothing = "No key is like that."

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("credentials:").removeprefix("server:"))
        if one:
            return Q(pk=one) | Q(account_id=one) | Q(home=one)
        return (
            Q(aws_account=term) if term.isdigit() and len(term) > 4 else Q(access_key__endswith=term.upper())
        )

    @admin.display(description="key")
    def ends_with(self, row: Credentials) -> str:
        return f"…{row.access_key[-4:]}"

    @admin.display(description="state")
    def status(self, row: Credentials) -> str:
        if row.state == Credentials.State.ENDED:
            return words.mark(f"ended: {row.get_ended_why_display()}", "calm")
        tone = "good" if row.state == "in_use" else "warn" if row.refusals else "calm"
        return words.mark(row.get_state_display(), tone)

    @admin.display(description="what keeps it from use")
    def lacks(self, row: Credentials) -> str:
        return ", ".join(_in_short(one) for one in row.refusals) or words.NOTHING

    @admin.display(description="sender")
    def of_sender(self, row: Credentials) -> str:
        return words.link(row.sender)

    @admin.display(description="secret")
    def of_secret(self, row: Credentials) -> str:
        return words.subject_link(f"secret:{row.secret_id}")

    @admin.display(description="given")
    def added(self, row: Credentials) -> str:
        return words.moment(row.added_at)

    @admin.display(description="last asked about")
    def checked(self, row: Credentials) -> str:
        return words.moment(row.checked_at)

    @admin.display(description="handed to the server")
    def tried(self, row: Credentials) -> str:
        return words.moment(row.tried_at)

    @admin.display(description="in use since")
    def used(self, row: Credentials) -> str:
        return words.moment(row.in_use_at)

    @admin.display(description="ended")
    def ended(self, row: Credentials) -> str:
        return words.moment(row.ended_at)

    def runs(self, row: Credentials) -> str:
        return staff_words.runs(row.subject)

    def events(self, row: Credentials) -> str:
        return staff_tables.of_subject(row.subject)


def _in_short(one: dict[str, Any]) -> str:
    return " ".join(filter(None, (one.get("code", ""), one.get("facts", {}).get("action", ""))))


@admin.register(Standing)
class StandingList(OfHome):
    order = ("-read_at", "home")
    list_display = ("of_home", "of_account", "region", "status", "day", "read")
    fields = (
        "of_home",
        "of_account",
        "region",
        "status",
        "review",
        "case_id",
        "day",
        "rate",
        "wrong",
        "read",
        "runs",
    )
    list_select_related = ("account",)
    search_fields = ("region",)
    nothing = "Amazon has told of no account like that."

    @admin.display(description="state")
    def status(self, row: Standing) -> str:
        if row.trouble:
            return words.mark(_in_short(row.trouble), "bad")
        if row.enforcement not in ("HEALTHY", "") or not row.sending_enabled:
            return words.mark(row.enforcement.lower() or "paused", "bad")
        return words.mark("production", "good") if row.production else words.mark("sandbox", "warn")

    @admin.display(description="of the day's quota")
    def day(self, row: Standing) -> str:
        return f"{row.sent24:.0f} of {'no limit' if row.max24 is None else f'{row.max24:.0f}'}"

    @admin.display(description="trouble since")
    def wrong(self, row: Standing) -> str:
        return words.moment(row.trouble_at)

    @admin.display(description="read")
    def read(self, row: Standing) -> str:
        return words.moment(row.read_at)

    def runs(self, row: Standing) -> str:
        return staff_words.runs(f"sending:{row.pk}")


@admin.register(Identity)
class IdentityList(StaffList):
    order = ("-asked_at", "domain")
    list_display = ("of_domain", "status", "region", "why", "asked", "read")
    fields = (
        "of_domain",
        "status",
        "region",
        "dkim_status",
        "mail_from",
        "mail_from_status",
        "why",
        "troubled",
        "asked",
        "read",
        "proven",
    )
    list_select_related = ("domain",)
    search_fields = ("domain__name",)
    search_help_text = "A domain's name, or the id of a domain or a server"
    nothing = "Amazon knows no domain like that."

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("domain:").removeprefix("server:"))
        return Q(pk=one) | Q(domain__home=one) if one else Q(domain__name=term.lower().rstrip("."))

    @admin.display(description="domain")
    def of_domain(self, row: Identity) -> str:
        return words.link(row.domain)

    @admin.display(description="state")
    def status(self, row: Identity) -> str:
        if row.trouble:
            return words.mark(_in_short(row.trouble), "bad")
        return words.mark("verified", "good") if row.verified else words.mark("waits", "warn")

    @admin.display(description="asked for")
    def asked(self, row: Identity) -> str:
        return words.moment(row.asked_at)

    @admin.display(description="read")
    def read(self, row: Identity) -> str:
        return words.moment(row.read_at)

    @admin.display(description="trouble since")
    def troubled(self, row: Identity) -> str:
        return words.moment(row.trouble_at)

    @admin.display(description="verified since")
    def proven(self, row: Identity) -> str:
        return words.moment(row.verified_at)


@admin.register(Topic)
class TopicList(OfHome):
    order = ("-wanted_at", "home")
    list_display = ("of_home", "of_account", "arn", "confirmed")
    fields = ("of_home", "of_account", "arn", "subscription", "wanted", "confirmed")
    list_select_related = ("account",)
    search_fields = ("arn",)
    nothing = "No topic is like that."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("token")

    def found(self, term: str) -> Q | None:
        return super().found(term) or Q(arn=term)

    @admin.display(description="asked for")
    def wanted(self, row: Topic) -> str:
        return words.moment(row.wanted_at)

    @admin.display(description="agreed to listen")
    def confirmed(self, row: Topic) -> str:
        return words.moment(row.confirmed_at)
