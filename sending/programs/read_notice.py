"""What a message of Amazon's is worth: signed by Amazon, about our topic, and not heard before."""

from django.conf import settings
from django.utils import timezone

from audit.actions import record
from clients import sns_messages
from engine.program import Next, Program, done
from sending import feedback, slowing
from sending.amazon import account_of
from sending.models import Credentials, Notice, Topic

BY = "program:ReadNotice"


class ReadNotice(Program):
    """One message; what it says of recipients is forgotten when it was read."""

    first = "read"

    def prepare(self) -> None:
        self.notice = Notice.objects.get(pk=int(self.run.subject.removeprefix("notice:")))

    def read(self) -> Next:
        """Where Amazon's certificate cannot be had just now, it is read later."""
        notice = self.notice
        if notice.verdict:
            return done("read before")
        try:
            told = sns_messages.verify(
                notice.body.encode(), now=notice.received_at, base=settings.AWS_API_URL
            )
        except sns_messages.NotFromSns as error:
            return self._end(f"refused: {error.code}")
        topic = Topic.objects.select_for_update().filter(home=notice.home, arn=told.topic).first()
        if topic is None or told.id != notice.message:
            return self._end("refused: another topic")
        if told.kind == "SubscriptionConfirmation":
            return self._confirm(topic, told.token)
        if told.kind == "UnsubscribeConfirmation":
            topic.confirmed_at = None
            topic.save(update_fields=["confirmed_at"])
            return self._end("no longer subscribed")
        noted = feedback.note(notice, told.text)
        slowed = [one.address for one in slowing.mailboxes(noted) if slowing.look(one)]
        return self._end(f"{len(noted)} noted{', slowed ' if slowed else ''}{', '.join(slowed)}"[:100])

    def _confirm(self, topic: Topic, token: str) -> Next:
        row = Credentials.objects.filter(home=topic.home).exclude(state="ended").order_by("-added_at").first()
        if row is None:
            return self._end("refused: no key")
        amazon = account_of(row, by=BY, why="agree to hear of bounces and complaints")
        topic.subscription = amazon.sns.confirm(topic.arn, token)
        topic.confirmed_at = timezone.now()
        topic.save(update_fields=["subscription", "confirmed_at"])
        record(
            "topic.confirmed", by=BY, account=topic.account_id, subject=f"server:{topic.home}", arn=topic.arn
        )
        return self._end("confirmed")

    def _end(self, verdict: str) -> Next:
        self.notice.verdict, self.notice.body = verdict, ""
        self.notice.save(update_fields=["verdict", "body"])
        return done(verdict)
