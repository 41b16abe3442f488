"""Who: accounts, people and the letters written to them. Passwords, links and codes have no page."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts import resending
from accounts.models import Account, Letter, Membership, User
from audit import staff_tables
from audit import staff_words as words
from audit.staff_acts import Act, CannotBe, Order
from audit.staff_lists import StaffList, as_number, as_uuid
from engine import staff_words

# Groups, and what allauth brings, addresses, factors and sessions among it, could be edited by hand in lists of their own.
for stranger in list(admin.site._registry):
    if stranger._meta.app_label in ("auth", "account", "mfa", "usersessions", "socialaccount"):
        admin.site.unregister(stranger)


@admin.register(Account)
class AccountList(StaffList):
    order = ("-created_at", "id")
    list_display = ("name", "owners", "created", "id")
    fields = (
        "name",
        "story",
        "members",
        "subscriptions",
        "servers",
        "letters",
        "receipts",
        "events",
        "created",
        "id",
    )
    search_fields = ("id",)
    search_help_text = "A person's address, or an account's id"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("memberships__user")

    def found(self, term: str) -> Q | None:
        if "@" in term:
            theirs = Membership.objects.filter(user__email=term.lower())
            return Q(pk__in=theirs.values("account_id"))
        return Q(pk=as_uuid(term)) if as_uuid(term) else None

    @admin.display(description="everything together")
    def story(self, account: Account) -> str:
        return words.story_link(account.pk, "The whole story of this customer")

    @admin.display(description="created")
    def created(self, account: Account) -> str:
        return words.moment(account.created_at)

    @admin.display(description="owners")
    def owners(self, account: Account) -> str:
        return ", ".join(
            str(part.user) for part in account.memberships.all() if part.role == Membership.Role.OWNER
        )

    @admin.display(description="people")
    def members(self, account: Account) -> str:
        parts = list(account.memberships.all())[: words.MOST]
        rows = ((words.link(part.user), part.role, words.moment(part.since)) for part in parts)
        return words.table(("person", "role", "since"), rows)

    def subscriptions(self, account: Account) -> str:
        """Billing stands above us: its rows are read, its code is not imported."""
        rows = account.subscriptions.select_related("server").order_by("-began_at")[: words.MOST]
        cells = ((words.link(row), row.get_status_display(), words.link(row.server)) for row in rows)
        return words.table(("subscription", "status", "server"), cells)

    def servers(self, account: Account) -> str:
        rows = account.servers.order_by("-wanted_at")[: words.MOST]
        cells = ((words.link(row), row.plan, row.place, words.moment(row.gone_at)) for row in rows)
        return words.table(("server", "plan", "place", "gone"), cells)

    def letters(self, account: Account) -> str:
        rows = Letter.objects.filter(account_id=account.pk).order_by("-written_at")[: staff_tables.SHOWN]
        cells = ((words.link(row, row.kind), row.to, words.moment(row.sent_at)) for row in rows)
        all_of_them = words.list_link("accounts.letter", "All letters", q=account.pk)
        return words.sentences([words.table(("letter", "to", "sent"), cells), all_of_them])

    def events(self, account: Account) -> str:
        return staff_tables.events(Q(account_id=account.pk), q=account.pk)

    def receipts(self, account: Account) -> str:
        return words.list_link("audit.receipt", "Receipts of this account", q=account.pk)


@admin.register(User)
class UserList(StaffList):
    list_display = ("email", "name", "may", "joined", "last_seen")
    fields = (
        "email",
        "name",
        "may",
        "joined",
        "last_seen",
        "their_accounts",
        "letters",
        "events",
    )
    search_fields = ("email",)
    search_help_text = "An address, or a person's number"

    def found(self, term: str) -> Q | None:
        if as_number(term) is not None:
            return Q(pk=as_number(term))
        return Q(email=term.lower()) if "@" in term else None

    @admin.display(description="may")
    def may(self, user: User) -> str:
        if not user.is_active:
            return words.mark("not sign in", "bad")
        if user.is_superuser:
            return words.mark("see and do everything here", "warn")
        return words.mark("see these pages", "warn") if user.is_staff else "sign in"

    @admin.display(description="joined")
    def joined(self, user: User) -> str:
        return words.moment(user.date_joined)

    @admin.display(description="signed in last")
    def last_seen(self, user: User) -> str:
        return words.moment(user.last_login)

    @admin.display(description="accounts")
    def their_accounts(self, user: User) -> str:
        parts = user.memberships.select_related("account").order_by("pk")[: words.MOST]
        cells = (
            (words.link(part.account), part.role, words.story_link(part.account_id, "whole story"))
            for part in parts
        )
        return words.table(("account", "role", "everything"), cells)

    def letters(self, user: User) -> str:
        return words.list_link("accounts.letter", "Letters to this address", q=user.email)

    def events(self, user: User) -> str:
        return staff_tables.of_subject(f"user:{user.pk}")


def _send_again(letter: Letter, order: Order) -> None:
    try:
        resending.send_again(letter=letter, once=order.once, by=order.by, reason=order.reason)
    except resending.NotAgain as error:
        raise CannotBe(str(error)) from None


AGAIN = Act(
    name="send_again",
    verb="Send again",
    does="The letter is written once more, with today's date, in the same words and to the same address. What it says "
    "may be out of date. To another address it cannot go.",
    do=_send_again,
    refuses=resending.why_not,
)


@admin.register(Letter)
class LetterList(StaffList):
    """What a letter says is not shown: some of them let somebody in."""

    acts = (AGAIN,)

    order = ("-written_at", "-id")
    list_display = ("kind", "to", "written", "sent", "dropped")
    fields = ("which", "to", "account", "written", "sent", "dropped", "runs", "alarms", "id")
    search_fields = ("to",)
    search_help_text = "An account's or a letter's id, or an address"

    def found(self, term: str) -> Q | None:
        one = as_uuid(term)
        if one:
            return Q(account_id=one) | Q(pk=one)
        return Q(to=term.lower()) if "@" in term else None

    @admin.display(description="kind")
    def which(self, letter: Letter) -> str:
        return letter.kind

    @admin.display(description="written")
    def written(self, letter: Letter) -> str:
        return words.moment(letter.written_at)

    @admin.display(description="sent")
    def sent(self, letter: Letter) -> str:
        return words.moment(letter.sent_at)

    def account(self, letter: Letter) -> str:
        return words.account_link(letter.account_id)

    def runs(self, letter: Letter) -> str:
        return staff_words.runs(f"letter:{letter.pk}")

    def alarms(self, letter: Letter) -> str:
        return staff_words.alarms(f"letter:{letter.pk}")
