"""One customer from the purchase to the receipt, driven by a test; and the same with something going wrong."""

from collections import Counter
from collections.abc import Callable
from uuid import uuid4

from django.utils import timezone

from audit.models import Event
from billing import actions as billing
from billing.models import Subscription
from engine.models import Run, StepTaken
from servers import actions as servers
from servers.models import Agent, Destruction, Server
from tests.integration.world import Sandbox, Workers, let_days_pass, let_time_pass, pretend_agents


class Life:
    """Workers work, agents report, time passes; `step` and `point` say where a worker is killed, once."""

    long = False  # whether so much time passes that programs begin to wonder

    def __init__(
        self, sandbox: Sandbox, workers: Workers, step: str | None = None, point: str = "begin"
    ) -> None:
        self.sandbox, self.workers = sandbox, workers
        self.step, self.point, self.killed = step, point, False
        self.email = f"alice-{uuid4().hex[:8]}@example.test"
        self.name = f"post-{uuid4().hex[:8]}"

    def whole(self) -> None:
        self.buy()
        self.choose()
        self.come_up()
        self.live()
        self.end()
        self.be_destroyed()

    def until(self, there: Callable[[], bool], what: str, rounds: int = 60) -> None:
        for _ in range(rounds):
            self.round()
            if there():
                return
        runs = Run.objects.filter(finished_at=None).values_list("program", "step", "error", "tries")
        raise AssertionError(f"{what} never came: {list(runs)}")

    def round(self) -> None:
        let_time_pass(long=self.long)
        if self.workers.work(None if self.killed else self.step, self.point):
            self.killed = True
        self.agents()

    def agents(self) -> None:
        pretend_agents(self.sandbox)

    def buy(self) -> None:
        bought = self.sandbox.post(
            "/gumroad/sandbox/buy", email=self.email, tier="Basic", recurrence="monthly"
        )
        self.gumroad_id = bought["subscription_id"]
        self.until(
            lambda: Subscription.objects.filter(gumroad_id=self.gumroad_id).exists(), "the subscription", 300
        )

    @property
    def subscription(self) -> Subscription:
        return Subscription.objects.get(gumroad_id=self.gumroad_id)

    @property
    def server(self) -> Server:
        return Server.objects.get(name=self.name)

    def choose(self) -> None:
        billing.make_server(subscription=self.subscription, name=self.name, place="fsn1", by="user:1")

    def come_up(self) -> None:
        self.until(lambda: self.server.ready_at is not None, "the server")
        self.until(lambda: not self.others(), "the first letters")

    def others(self) -> bool:
        """Whether anything but the resting loop is under way."""
        return Run.objects.filter(finished_at=None).exclude(program="Keep").exists()

    def live(self) -> None:
        """Nothing happens to most servers."""

    def end(self) -> None:
        self.leave()
        self.until(lambda: Destruction.objects.filter(server=self.server).exists(), "the end", 300)

    def leave(self) -> None:
        """Cancels, and the paid time passes."""
        for act in ("cancel", "end"):
            self.act(act)

    def act(self, what: str) -> None:
        """Something is done to the subscription at Gumroad."""
        self.sandbox.post(f"/gumroad/sandbox/subscriptions/{self.gumroad_id}/{what}")

    def be_destroyed(self) -> None:
        let_days_pass(7.01)
        self.until(lambda: not Run.objects.filter(finished_at=None).exists(), "the last letter")

    def events(self) -> Counter[str]:
        account = self.subscription.account_id
        return Counter(Event.objects.filter(account_id=account).values_list("action", flat=True))

    def letters(self) -> Counter[str]:
        """What stands in the customer's mailbox, each message once however often it came."""
        subjects = [letter["subject"] for letter in self.sandbox.letters(self.email)]
        return Counter(subject.replace(self.name, "NAME") for subject in subjects)


class Changed(Life):
    """What is wanted of the server changes once, as after a new release."""

    def live(self) -> None:
        Agent.objects.filter(server=self.server).update(desired_body="")
        self.until(lambda: self.applied() >= 2, "the second set-up")

    def applied(self) -> int:
        return Agent.objects.get(server=self.server).applied_version


class Troubled(Life):
    """The first machine vanishes after its creation was accepted, and nobody hears from it."""

    long = True

    def choose(self) -> None:
        self.sandbox.post("/hetzner/sandbox/faults", kind="fail_action", operation="create_server", times=1)
        super().choose()


class Silent(Life):
    """The machine's agent does not call for so long that the provider is asked about the machine."""

    long = True

    def agents(self) -> None:
        if StepTaken.objects.filter(run__subject__in=self.subjects(), step="look_at_machine").exists():
            super().agents()

    def subjects(self) -> list[str]:
        return [server.subject for server in Server.objects.filter(name=self.name)]


class Short(Life):
    """The subscription ends, and its day comes, while the server is still being made."""

    def come_up(self) -> None:
        """It never does: its machine is ordered, and its agent never calls."""
        self.until(lambda: self.server.machine_id is not None, "the machine")

    def agents(self) -> None:
        """None calls."""

    def end(self) -> None:
        servers.schedule_destruction(
            server=self.server, ended_at=timezone.now(), reason="the subscription ended", by="gumroad"
        )

    def be_destroyed(self) -> None:
        self.long = True
        super().be_destroyed()
