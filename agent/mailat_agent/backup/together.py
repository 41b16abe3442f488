"""Questions that are asked at the same time travel in one call, and no question waits for company."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class _Asked(Generic[Q, A]):
    def __init__(self, question: Q) -> None:
        self.question = question
        self.turn = threading.Event()  # answered, or asked to make the next call
        self.answer: A | None = None
        self.trouble: Exception | None = None
        self.leads = False


class Together(Generic[Q, A]):
    """Whoever asks while nobody does makes the call; those who come meanwhile share the next, at most `most` in one."""

    def __init__(self, call: Callable[[Sequence[Q]], Sequence[A]], most: int) -> None:
        self._call, self._most = call, most
        self._waiting: list[_Asked[Q, A]] = []
        self._lock = threading.Lock()
        self._busy = False

    def ask(self, question: Q) -> A:
        """The answer to this question; raises what the call raised."""
        asked: _Asked[Q, A] = _Asked(question)
        with self._lock:
            self._waiting.append(asked)
            asked.leads, self._busy = not self._busy, True
        if not asked.leads:
            asked.turn.wait()
        if asked.leads:
            self._lead()
        if asked.trouble is not None:
            raise asked.trouble
        assert asked.answer is not None  # noqa: S101 - an answer or a trouble, by now
        return asked.answer

    def _lead(self) -> None:
        """One call, that of the leader's own question; then somebody else leads."""
        with self._lock:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            for asked, answer in zip(batch, self._call([one.question for one in batch]), strict=True):
                asked.answer = answer
        except Exception as trouble:
            for asked in batch:
                asked.trouble = trouble
        with self._lock:
            follower = self._waiting[0] if self._waiting else None
            self._busy = follower is not None
        for asked in batch:
            asked.turn.set()
        if follower is not None:
            follower.leads = True
            follower.turn.set()
