"""The fleet as it is, and what is to be destroyed when."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from audit import staff_tables
from audit import staff_words as words
from audit.models import Receipt
from audit.staff_lists import Choice, StaffList, as_number, as_uuid
from engine import staff_words
from servers import admin_changes, state
from servers.admin_acts import SERVER_ACTS
from servers.admin_destructions import DestructionList
from servers.admin_replacements import ReplacementList
from servers.desired import host_name
from servers.models import Agent, Server
from servers.plans import PLACES

__all__ = ["DestructionList", "ReplacementList", "ServerList", "admin_changes"]


class ServerState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "here": ("here", lambda: Q(gone_at=None)),
        "making": ("being made", lambda: Q(gone_at=None, ready_at=None)),
        "silent": ("late or lost", lambda: Q(gone_at=None, agent__health__in=("late", "lost"))),
        "ending": ("ending", lambda: Q(gone_at=None, destruction__isnull=False)),
        "gone": ("gone", lambda: Q(gone_at__isnull=False)),
        "all": ("all", Q),
    }


def word(server: Server) -> str:
    """The same words as the customer reads; asks the database nothing, for lists."""
    ended = server.gone_at or getattr(server, "destruction", None)
    return state.of(server).word if ended or server.ready_at else "being made"


def mark(state_word: str) -> SafeString:
    return words.mark(state_word, TONES.get(state_word, "calm"))


TONES = {"working": "good", "attention": "warn", "ending": "warn", "down": "bad"}


def as_address(term: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(term)
    except ValueError:
        return None


@admin.register(Server)
class ServerList(StaffList):
    order = ("-wanted_at", "id")
    list_display = ("name", "state", "plan", "place", "ipv4_address", "heard", "of_account", "wanted")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "now",
                    "host",
                    "of_account",
                    "story",
                    "of_subscription",
                    "plan",
                    "of_place",
                    "plan_changes",
                    "sending",
                    "of_destruction",
                    "receipts",
                )
            },
        ),
        ("Work and trouble", {"fields": ("alarms", "runs", "events")}),
        ("The machine", {"fields": ("machine", "addresses", "wanted", "ready", "gone", "id")}),
        ("The agent", {"fields": ("heard", "ordered", "watched", "last_report", "agent_facts")}),
    )
    list_filter = (ServerState,)
    list_select_related = ("account", "agent", "destruction")
    search_fields = ("name",)
    search_help_text = "Name, address, id, or Hetzner's number"
    nothing = "No server is like that."
    acts = SERVER_ACTS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("enrolment_hash")

    def found(self, term: str) -> Q | None:
        one, number = as_uuid(term.removeprefix("server:").removeprefix("mailat-")), as_number(term)
        if one:
            return Q(pk=one) | Q(account_id=one)
        if number is not None:
            return Q(machine_id=number)
        if address := as_address(term):
            return Q(**{f"ipv{address.version}": str(address)})
        return Q(name=term.lower().partition(".")[0])

    @admin.display(description="state")
    def state(self, server: Server) -> str:
        return mark(word(server))

    @admin.display(description="IPv4")
    def ipv4_address(self, server: Server) -> str:
        return server.ipv4 or words.NOTHING

    @admin.display(description="now")
    def now(self, server: Server) -> str:
        now = state.of(server)
        return words.sentences([mark(now.word), f"since {words.when(now.since)}.", now.why, now.next])

    @admin.display(description="host name")
    def host(self, server: Server) -> str:
        return host_name(server)

    @admin.display(description="place")
    def of_place(self, server: Server) -> str:
        place = PLACES.get(server.place)
        return f"{place.city}, {place.country} ({place.key})" if place else server.place

    @admin.display(description="at Hetzner")
    def machine(self, server: Server) -> str:
        return f"{server.machine_id}, a {server.machine_type}" if server.machine_id else words.NOTHING

    @admin.display(description="addresses")
    def addresses(self, server: Server) -> str:
        return " and ".join(filter(None, (server.ipv4, server.ipv6))) or words.NOTHING

    @admin.display(description="watched until")
    def watched(self, server: Server) -> str:
        """While somebody looks at its page, its reports come faster."""
        return words.moment(server.watched_until)

    @admin.display(description="agent heard last")
    def heard(self, server: Server) -> str:
        agent = _agent(server)
        if agent is None:
            return words.NOTHING
        quiet = "" if agent.health == "healthy" else words.mark(agent.health, "bad")
        return words.sentences([words.moment(agent.reported_at), quiet])

    @admin.display(description="account")
    def of_account(self, server: Server) -> str:
        return words.link(server.account)

    @admin.display(description="customer")
    def story(self, server: Server) -> str:
        return words.story_link(server.account_id, "The whole story of this customer")

    @admin.display(description="wanted")
    def wanted(self, server: Server) -> str:
        return words.moment(server.wanted_at)

    @admin.display(description="ready")
    def ready(self, server: Server) -> str:
        return words.moment(server.ready_at)

    @admin.display(description="gone")
    def gone(self, server: Server) -> str:
        return words.moment(server.gone_at)

    @admin.display(description="what the agent said of its host")
    def agent_facts(self, server: Server) -> str:
        agent = _agent(server)
        return words.facts(agent.facts if agent else None)

    @admin.display(description="last report")
    def last_report(self, server: Server) -> str:
        agent = _agent(server)
        return words.facts(agent.report if agent else None)

    @admin.display(description="what it is ordered to be")
    def ordered(self, server: Server) -> str:
        agent = _agent(server)
        return (
            f"version {agent.desired_version}; it applied {agent.applied_version}" if agent else words.NOTHING
        )

    @admin.display(description="destruction")
    def of_destruction(self, server: Server) -> str:
        row = getattr(server, "destruction", None)
        if row is None:
            return words.NOTHING
        return words.link(
            row, f"{'began' if row.begun_at else 'due'} {words.when(row.begun_at or row.due_at)}"
        )

    @admin.display(description="changes of the plan")
    def plan_changes(self, server: Server) -> str:
        return admin_changes.plan_changes(server)

    @admin.display(description="sending")
    def sending(self, server: Server) -> str:
        return admin_changes.sending(server)

    @admin.display(description="subscription")
    def of_subscription(self, server: Server) -> str:
        """Billing stands above us: its row is read, its code is not imported."""
        return words.link(getattr(server, "subscription", None))

    def runs(self, server: Server) -> str:
        return staff_words.runs(server.subject)

    def alarms(self, server: Server) -> str:
        return staff_words.alarms(server.subject)

    def events(self, server: Server) -> str:
        return staff_tables.of_subject(server.subject)

    @admin.display(description="receipt")
    def receipts(self, server: Server) -> str:
        return words.link(Receipt.objects.filter(subject=server.subject).first())


def _agent(server: Server) -> Agent | None:
    return getattr(server, "agent", None)
