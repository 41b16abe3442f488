"""What customers call their mail, for staff who help them. Hashes of passwords and sealed credentials have no page."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from audit import staff_tables
from audit import staff_words as words
from audit.staff_lists import Choice, OfHome, StaffList, as_uuid
from domains import admin_letters  # noqa: F401 - it registers itself
from domains.models import Domain, Erasure, Mailbox, WayOut


@admin.register(Domain)
class DomainList(OfHome):
    order = ("-added_at", "id")
    list_display = ("name", "of_account", "of_home", "mta_sts", "added")
    fields = (
        "name",
        "of_account",
        "of_home",
        "catcher",
        "mta_sts",
        "mailboxes",
        "aliases",
        "events",
        "added",
        "id",
    )
    list_select_related = ("account",)
    search_fields = ("name",)
    search_help_text = "A domain's name, or the id of a domain, an account or a server"
    nothing = "No domain is like that."

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("domain:").removeprefix("server:"))
        return Q(pk=one) | Q(account_id=one) | Q(home=one) if one else Q(name=term.lower().rstrip("."))

    @admin.display(description="what nobody else gets goes to")
    def catcher(self, domain: Domain) -> str:
        return words.link(domain.catch_all)

    @admin.display(description="added")
    def added(self, domain: Domain) -> str:
        return words.moment(domain.added_at)

    def mailboxes(self, domain: Domain) -> str:
        rows = Mailbox.objects.filter(domain=domain).select_related("domain").order_by("local")[: words.MOST]
        cells = ((words.link(row), row.name, state_of(row)) for row in rows)
        return words.table(("mailbox", "of", "state"), cells)

    def aliases(self, domain: Domain) -> str:
        rows = domain.aliases.select_related("domain").order_by("local")[: words.MOST]
        return words.table(("alias", "goes to"), ((row.address, ", ".join(row.targets)) for row in rows))

    def events(self, domain: Domain) -> str:
        return staff_tables.of_subject(f"domain:{domain.pk}")


def state_of(mailbox: Mailbox) -> str:
    """In words and a colour."""
    if mailbox.removed_at:
        return words.mark("removed", "warn")
    if mailbox.suspended_at:
        return words.mark("suspended", "warn")
    return words.mark("in use", "good") if mailbox.password else words.mark("no password yet", "calm")


class MailboxState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "here": ("here", lambda: Q(removed_at=None)),
        "removed": ("removed", lambda: ~Q(removed_at=None)),
        "all": ("all", Q),
    }


@admin.register(Mailbox)
class MailboxList(StaffList):
    order = ("-added_at", "id")
    list_display = ("address", "name", "state", "of_account", "added")
    fields = (
        "address", "name", "state", "of_domain", "of_account", "password_chosen", "devices", "sizes", "goes_on",
        "suspension", "releases", "invited", "events", "added", "removed", "id",
    )  # fmt: skip
    list_filter = (MailboxState,)
    list_select_related = ("domain__account",)
    search_fields = ("local",)
    search_help_text = "An address, or the id of a mailbox, an account or a server"
    nothing = "No mailbox is like that."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).defer("vacation_subject", "vacation_text")
        return rows.annotate(app_password_count=Count("app_passwords"))

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("mailbox:").removeprefix("server:"))
        if one:
            return Q(pk=one) | Q(domain__account_id=one) | Q(domain__home=one)
        local, at, domain = term.lower().rpartition("@")
        return Q(local=local, domain__name=domain) if at else Q(domain__name=domain)

    @admin.display(description="state")
    def state(self, mailbox: Mailbox) -> str:
        return state_of(mailbox)

    @admin.display(description="domain")
    def of_domain(self, mailbox: Mailbox) -> str:
        return words.link(mailbox.domain)

    @admin.display(description="account")
    def of_account(self, mailbox: Mailbox) -> str:
        return words.link(mailbox.domain.account)

    @admin.display(description="password chosen")
    def password_chosen(self, mailbox: Mailbox) -> str:
        return words.moment(mailbox.password_at)

    @admin.display(description="app passwords")
    def devices(self, mailbox: Any) -> int:
        return int(mailbox.app_password_count)

    @admin.display(description="may have and send")
    def sizes(self, mailbox: Mailbox) -> str:
        return f"{mailbox.quota / 1e9:.1f} GB; {mailbox.per_hour} recipients an hour, {mailbox.per_day} a day"

    @admin.display(description="forwarded to")
    def goes_on(self, mailbox: Mailbox) -> str:
        return ", ".join(mailbox.forward) or words.NOTHING

    @admin.display(description="suspended")
    def suspension(self, mailbox: Mailbox) -> str:
        return words.sentences([words.moment(mailbox.suspended_at), mailbox.suspended_why])

    @admin.display(description="invitations")
    def invited(self, mailbox: Mailbox) -> str:
        rows = mailbox.invitations.order_by("-sent_at")[: words.MOST]
        cells = (
            (row.to, words.moment(row.sent_at), words.moment(row.used_at), words.subject_link(row.by))
            for row in rows
        )
        return words.table(("to", "sent", "used", "by"), cells)

    @admin.display(description="added")
    def added(self, mailbox: Mailbox) -> str:
        return words.moment(mailbox.added_at)

    @admin.display(description="removed")
    def removed(self, mailbox: Mailbox) -> str:
        return words.moment(mailbox.removed_at)

    def events(self, mailbox: Mailbox) -> str:
        return staff_tables.of_subject(f"mailbox:{mailbox.pk}")


class ErasureState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "all": ("all", Q),
        "undoable": ("can be brought back", lambda: Q(ordered_at=None)),
        "ordered": ("ordered, not told yet", lambda: ~Q(ordered_at=None) & Q(done_at=None)),
        "done": ("done", lambda: ~Q(done_at=None)),
    }


@admin.register(Erasure)
class ErasureList(OfHome):
    order = ("-asked_at", "id")
    list_display = ("address", "state", "of_account", "of_home", "asked")
    fields = ("address", "state", "why", "whom", "of_account", "of_home", "asked", "due", "ordered", "gone", "done", "events", "id")  # fmt: skip
    list_filter = (ErasureState,)
    list_select_related = ("account",)
    search_fields = ("address",)
    search_help_text = "An address, or the id of a mailbox, an account or a server"
    nothing = "No mail was deleted like that."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("kept")

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("mailbox:").removeprefix("server:"))
        return Q(pk=one) | Q(account_id=one) | Q(home=one) if one else Q(address=term.lower())

    @admin.display(description="state")
    def state(self, row: Erasure) -> str:
        if row.done_at:
            return words.mark("deleted", "good")
        return (
            words.mark("being deleted", "warn")
            if row.ordered_at
            else words.mark("can be brought back", "calm")
        )

    @admin.display(description="removed")
    def asked(self, row: Erasure) -> str:
        return words.moment(row.asked_at)

    @admin.display(description="can be brought back until")
    def due(self, row: Erasure) -> str:
        return words.moment(row.due_at)

    @admin.display(description="server was told")
    def ordered(self, row: Erasure) -> str:
        return words.moment(row.ordered_at)

    @admin.display(description="nothing was left, by the server's clock")
    def gone(self, row: Erasure) -> str:
        return words.moment(row.found_gone_at)

    @admin.display(description="report came")
    def done(self, row: Erasure) -> str:
        return words.moment(row.done_at)

    def events(self, row: Erasure) -> str:
        return staff_tables.of_subject(f"mailbox:{row.pk}")


@admin.register(WayOut)
class WayOutList(OfHome):
    order = ("-added_at", "home")
    list_display = ("of_home", "region", "of_account", "of_sender", "set_up")
    fields = ("of_home", "of_account", "region", "port", "ends_with", "of_sender", "whom", "set_up")
    list_select_related = ("account", "sender")
    search_fields = ("home",)
    nothing = "No server sends by such a way."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("sealed", "seal_key")

    @admin.display(description="key")
    def ends_with(self, row: WayOut) -> str:
        return f"…{row.access_key[-4:]}"

    @admin.display(description="in the name of")
    def of_sender(self, row: WayOut) -> str:
        return words.link(row.sender)

    @admin.display(description="set up")
    def set_up(self, row: WayOut) -> str:
        return words.moment(row.added_at)
