"""The fleet as it is, and what is to be destroyed when."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from audit import staff_words as words
from audit.staff_lists import Choice, StaffList, as_number, as_uuid
from servers import state
from servers.models import Agent, Destruction, Server


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


@admin.register(Server)
class ServerList(StaffList):
    order = ("-wanted_at", "id")
    list_display = ("name", "state", "plan", "place", "ipv4", "heard", "of_account", "wanted")
    fields = (
        "id", "name", "state_in_words", "plan", "place", "of_account", "wanted", "ready", "gone",
        "machine_id", "machine_type", "ipv4", "ipv6", "watched_until", "heard", "agent_facts", "last_report",
        "ordered", "destruction", "subscription", "runs", "alarms", "events", "receipts",
    )  # fmt: skip
    list_filter = (ServerState,)
    list_select_related = ("account", "agent", "destruction")
    search_fields = ("name",)
    search_help_text = "A server's or an account's id, a name, an address, or Hetzner's number"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("enrolment_hash")

    def found(self, term: str) -> Q | None:
        one, number = as_uuid(term.removeprefix("server:").removeprefix("mailat-")), as_number(term)
        if one:
            return Q(pk=one) | Q(account_id=one)
        return Q(machine_id=number) if number is not None else Q(name=term.lower().partition(".")[0])

    @admin.display(description="state")
    def state(self, server: Server) -> str:
        return word(server)

    @admin.display(description="state")
    def state_in_words(self, server: Server) -> str:
        now = state.of(server)
        return f"{now.word} since {words.moment(now.since)}. {now.why} {now.next}"

    @admin.display(description="agent heard last")
    def heard(self, server: Server) -> str:
        agent = _agent(server)
        return f"{words.moment(agent.reported_at)} ({agent.health})" if agent else words.NOTHING

    @admin.display(description="account")
    def of_account(self, server: Server) -> str:
        return words.link(server.account)

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

    def destruction(self, server: Server) -> str:
        return words.link(getattr(server, "destruction", None), "to be destroyed, or destroyed")

    def subscription(self, server: Server) -> str:
        """Billing stands above us: its row is read, its code is not imported."""
        return words.link(getattr(server, "subscription", None))

    def runs(self, server: Server) -> str:
        return words.list_link("engine.run", "its runs", q=server.subject, state="all")

    def alarms(self, server: Server) -> str:
        return words.list_link("engine.alarm", "its alarms", q=server.subject, state="all")

    def events(self, server: Server) -> str:
        return words.list_link("audit.event", "its events", q=server.subject)

    def receipts(self, server: Server) -> str:
        return words.list_link("audit.receipt", "its receipt", q=server.subject)


def _agent(server: Server) -> Agent | None:
    return getattr(server, "agent", None)


class DestructionState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "coming": ("coming", lambda: Q(begun_at=None)),
        "begun": ("begun", lambda: Q(begun_at__isnull=False, server__gone_at=None)),
        "finished": ("finished", lambda: Q(server__gone_at__isnull=False)),
        "all": ("all", Q),
    }


@admin.register(Destruction)
class DestructionList(StaffList):
    order = ("-due_at", "-server_id")
    list_display = ("of_server", "due", "said", "by", "reason", "begun")
    fields = ("of_server", "due", "said", "by", "reason", "begun", "shown_answers", "runs", "receipt")
    list_filter = (DestructionState,)
    list_select_related = ("server",)
    search_fields = ("server",)
    search_help_text = "A server's or an account's id"

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("server:"))
        return Q(pk=one) | Q(server__account_id=one) if one else None

    @admin.display(description="server")
    def of_server(self, row: Destruction) -> str:
        return row.server.name

    @admin.display(description="due")
    def due(self, row: Destruction) -> str:
        return words.moment(row.due_at)

    @admin.display(description="said")
    def said(self, row: Destruction) -> str:
        return words.moment(row.said_at)

    @admin.display(description="begun")
    def begun(self, row: Destruction) -> str:
        return words.moment(row.begun_at)

    @admin.display(description="what was removed, and what was answered")
    def shown_answers(self, row: Destruction) -> str:
        return words.facts(row.answers)

    def runs(self, row: Destruction) -> str:
        return words.list_link("engine.run", "its server's runs", q=row.server.subject, state="all")

    def receipt(self, row: Destruction) -> str:
        return words.list_link("audit.receipt", "its receipt", q=row.server.subject)
