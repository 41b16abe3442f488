"""A key from pasted to proven: asked about at Amazon, set up there, tried by the server, and only then in use."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from audit.actions import record
from clients.aws import Aws
from clients.aws_errors import ClockSkew, MissingPermission, Throttled
from clients.errors import Refused
from domains import actions as domains
from domains.models import Domain, Letter
from domains.refusals import Refusal
from engine.alarms import close_alarm, open_alarm
from engine.program import Next, Program, done, hop, nap
from sending import setting_up, standing
from sending.amazon import account_of
from sending.ending import end
from sending.models import Credentials
from sending.programs.watch import start_watching
from sending.refusals import Obstacle, obstacle, of_answer
from sending.way import give
from servers.models import Agent

BY = "program:CheckCredentials"
# Amazon takes what is sent there from any account and delivers it to nobody:
# https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html
SIMULATOR = "success@simulator.amazonses.com"
TAKEN, REFUSED = 250, 500  # whoever refuses a letter for good has let its sender sign in
BETWEEN = timedelta(minutes=6)  # letters without an answer; a server sends ten an hour
NO_SIGN_IN = (530, 534, 535, 538)  # replies to AUTH (RFC 4954, 6)
SOON, LATER = 20.0, 600.0  # seconds until Amazon is asked again by itself
A_WHILE = timedelta(minutes=30)  # for which a person may be at Amazon's pages, mending
GIVEN_UP = timedelta(days=7)
PATIENCE = timedelta(minutes=30)  # for which a server that is away is asked for the same letter
LOOK = 10.0  # seconds between looks at what the server says of its trial


class CheckCredentials(Program):
    """One key; `self.row` is read anew for each step."""

    first = "ask_who"

    def prepare(self) -> None:
        pk = UUID(self.run.subject.removeprefix("credentials:"))
        self.row = Credentials.objects.select_related("account", "sender").get(pk=pk)

    def ask_who(self) -> Next:
        """Is it a key of a user at all?"""
        if self.row.state == Credentials.State.ENDED:
            return done("ended")
        if self.row.added_at < timezone.now() - GIVEN_UP and self.row.state == "candidate":
            end(self.row, Credentials.End.DROPPED, BY)
            return done("given up")
        try:
            found = self._amazon("who is this key?").user()
        except ClockSkew:
            return self._our_clock_is_wrong()
        except Refused as error:
            return self._refused([obstacle(error)])
        close_alarm("aws:clock")
        self.row.aws_account, self.row.arn = found.account, found.arn
        self.row.save(update_fields=["aws_account", "arn"])
        return hop(self.ask_what)

    def ask_what(self) -> Next:
        """What may the account do in this region? That the key may not ask is told with all else that it may not."""
        try:
            standing.note(self.row, self._amazon("what may the account do?").ses.account())
        except MissingPermission:
            return hop(self.set_up)
        except Refused as error:
            return self._refused([obstacle(error)])
        return hop(self.set_up)

    def set_up(self) -> Next:
        """Everything that is needed at Amazon, made; what is not allowed is told all at once."""
        amazon = self._amazon("set up sending")
        own = list(Domain.objects.filter(home=self.row.home).order_by("name"))
        sofar = setting_up.Round.read(self.args.get("round", {}))
        try:
            sofar.go_on(setting_up.parts(self.row, amazon, own))
        except Throttled as error:
            self.args["round"] = sofar.plain()
            return nap(error.retry_after)
        self.args.pop("round", None)
        if sofar.obstacles:
            return self._refused(sofar.obstacles)
        self._note([])
        return hop(self.hand_over)

    def hand_over(self) -> Next:
        """The server tries it from now on; what follows from the secret is sealed to the server's own key."""
        agent = Agent.objects.filter(server=self.row.home).first()
        if agent is None or not agent.seal_key:
            return self._refused([Obstacle("no_server")])
        if self.row.sender is None:
            return self._refused([Obstacle("no_domain")])
        give(self.row, agent.seal_key, self.row.sender, by=BY)
        self.row.tried_at = timezone.now()
        self.row.save(update_fields=["tried_at"])
        start_watching(self.row.home)
        return hop(self.ask_for_proof)

    def ask_for_proof(self) -> Next:
        """The server shall send one letter by it, to nobody; asked anew while it is away."""
        try:
            letter = domains.ask_letter(
                account=self.row.account,
                home=self.row.home,
                to=SIMULATOR,
                sender=f"postmaster@{self.row.sender.name}" if self.row.sender else "",
                by=BY,
            )
        except Refusal:
            return nap(LATER)
        self.args["letter"] = str(letter.pk)
        return hop(self.wait_proven)

    def wait_proven(self) -> Next:
        """Amazon must have taken the server's sign-in; while the server says nothing, nothing is decided."""
        letter = Letter.objects.filter(pk=self.args["letter"]).first()
        if letter is None or not (letter.answered_at or letter.asked_at > timezone.now() - PATIENCE):
            return hop(self.ask_for_proof)
        if letter.answered_at is None:
            return nap(LOOK)
        if letter.code in NO_SIGN_IN or of_answer(letter.answer).code == "permission":
            return hop(self.take_back)
        return hop(self.use) if letter.code == TAKEN or letter.code >= REFUSED else hop(self.rest)

    def rest(self) -> Next:
        """Nobody answered, or with "later": that says nothing of the key, and it is asked anew."""
        return hop(self.ask_for_proof) if self.waited() >= BETWEEN else nap(BETWEEN.total_seconds())

    def use(self) -> Next:
        """It is proven, and the key that it replaces is shredded."""
        for old in Credentials.objects.select_for_update().filter(home=self.row.home, state="in_use"):
            if old.pk != self.row.pk:
                end(old, Credentials.End.REPLACED, BY)
        self.row.state, self.row.in_use_at = Credentials.State.IN_USE, timezone.now()
        self.row.save(update_fields=["state", "in_use_at"])
        self._record("credentials.in_use", key=self.row.access_key[-4:], region=self.row.region)
        start_watching(self.row.home)
        return done("in use")

    def take_back(self) -> Next:
        """The server could not sign in with it: what was in use is given back, and this one waits to be mended."""
        agent = Agent.objects.filter(server=self.row.home).first()
        in_use = Credentials.objects.select_related("account", "sender").filter(home=self.row.home)
        old = in_use.filter(state="in_use").first()
        sender = (old and old.sender) or self.row.sender
        if agent and old and sender:
            give(old, agent.seal_key, sender, by=BY)
        letter = Letter.objects.get(pk=self.args["letter"])
        self._note([of_answer(letter.answer)])
        self._record("credentials.not_proven", key=self.row.access_key[-4:])
        return hop(self.wait_mended)

    def wait_mended(self) -> Next:
        """Till a person says that it shall be tried again, or half an hour has passed."""
        if self.signalled("again") or self.waited() > A_WHILE:
            self.forget("again")
            return hop(self.ask_who)
        return nap(A_WHILE.total_seconds())

    def _amazon(self, why: str) -> Aws:
        return account_of(self.row, by=BY, why=why)

    def _refused(self, found: list[Obstacle]) -> Next:
        """A person mends it at Amazon; we look again by ourselves, soon while they may be at it."""
        self._note(found)
        return nap(SOON if timezone.now() - self.row.added_at < A_WHILE else LATER)

    def _note(self, found: list[Obstacle]) -> None:
        plain = [each.plain() for each in found]
        if plain and plain != self.row.refusals:
            self._record("credentials.refused", codes=[each.code for each in found])
        self.row.refusals, self.row.checked_at = plain, timezone.now()
        self.row.save(update_fields=["refusals", "checked_at"])

    def _our_clock_is_wrong(self) -> Next:
        open_alarm(
            key="aws:clock",
            subject=self.row.subject,
            says="Amazon refuses our requests because our clock is wrong.",
            advice="Set the time of the machines that run workers.",
        )
        return nap(SOON)

    def _record(self, action: str, **facts: object) -> None:
        record(
            action,
            by=BY,
            account=self.row.account_id,
            subject=self.row.subject,
            server=f"server:{self.row.home}",
            **facts,
        )
