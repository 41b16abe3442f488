"""The sending service's way to recipients, and back: deliveries with tries, and bounces to whoever sent."""

from __future__ import annotations

import logging
import threading

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.aws.reports import Reports
from sandbox.internet.bounces import bounce
from sandbox.internet.delivery import Courier
from sandbox.internet.ses_queue import Job, Queue

LOOK_EVERY = 0.5  # seconds
LOG = logging.getLogger(__name__)


class Post:
    """One thread that delivers what is due."""

    def __init__(self, queue: Queue, courier: Courier, reports: Reports) -> None:
        self._queue, self._courier, self._reports = queue, courier, reports
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ses-post", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._ended.wait(LOOK_EVERY):
            for job in self._queue.due():
                if self._ended.is_set():
                    return
                try:
                    self._deliver(job)
                except Exception:  # one letter must not keep the others waiting
                    LOG.exception("A letter of the sending service could not be handled")

    def _deliver(self, job: Job) -> None:
        """Killed after a delivery and before its note, it delivers again: twice is better than never."""
        fated = self._reports.fated(job.id, job.recipients)
        others = [each for each in job.recipients if each not in {one.recipient for one in fated}]
        outcomes = fated + self._courier.deliver(job.returns_to, others, job.raw)
        lost = self._queue.note(job.id, outcomes)
        self._reports.tell(job.id, outcomes, lost)
        if lost:
            self._courier.deliver("", [job.sender], bounce(job, lost))

    def close(self) -> None:
        self._ended.set()
        self._thread.join(timeout=5)


class Feedback:
    """Takes what others send back to the service's own envelope senders, and passes it on to who sent the letter."""

    def __init__(self, queue: Queue, courier: Courier, reports: Reports) -> None:
        self._queue, self._courier, self._reports = queue, courier, reports

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self._queue.sender_of(address.partition("@")[0]):
            return "550 5.1.1 No letter of that number was sent"
        envelope.rcpt_tos.append(address)
        return "250 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = (
            envelope.content if isinstance(envelope.content, bytes) else str(envelope.content or "").encode()
        )
        senders = [self._queue.sender_of(each.partition("@")[0]) for each in envelope.rcpt_tos]
        for each in envelope.rcpt_tos:
            self._reports.incoming(each.partition("@")[0], content)
        work = threading.Thread(target=self._courier.deliver, args=("", senders, content), daemon=True)
        work.start()
        return "250 Ok"
