"""Brings signed messages to endpoints, and tries again for a while where nobody answers."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import requests

from sandbox.aws.store import Store

LOOK_EVERY = 0.2  # seconds
TIMEOUT = (5.0, 15.0)  # seconds to connect and to read; the vendor gives an endpoint fifteen
PAUSES = (1, 2, 4, 8, 15, 30, 60)  # seconds until the next try; shorter than the vendor's, as a day is here
AT_ONCE = 50
LOG = logging.getLogger(__name__)


class Postman:
    """One thread; what it has not brought when it is killed it brings after the next start."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sns", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._ended.wait(LOOK_EVERY):
            for message in self._due():
                if self._ended.is_set():
                    return
                try:
                    self._note(message, *bring(message))
                except Exception:  # one message must not keep the others waiting
                    LOG.exception("A message could not be handled")

    def _due(self) -> list[dict[str, Any]]:
        return self._store.all(
            "select * from aws_messages where state = 'waiting' and due <= ? order by id limit ?",
            time.time(),
            AT_ONCE,
        )

    def _note(self, message: dict[str, Any], taken: bool, said: str) -> None:
        """Killed after it was brought and before this, it brings it again: twice is better than never."""
        tries = message["tries"]
        again = not taken and tries < len(PAUSES)
        state = "delivered" if taken else "waiting" if again else "given up"
        due = time.time() + PAUSES[tries] if again else 0
        self._store.do(
            "update aws_messages set state = ?, said = ?, tries = tries + 1, due = ? where id = ?",
            state, said, due, message["id"],
        )  # fmt: skip

    def close(self) -> None:
        self._ended.set()
        self._thread.join(timeout=5)


def bring(message: dict[str, Any]) -> tuple[bool, str]:
    """Whether the endpoint took it, and what it said."""
    headers = {
        "x-amz-sns-message-type": message["kind"],
        "x-amz-sns-message-id": message["message_id"],
        "x-amz-sns-topic-arn": message["topic"],
        "x-amz-sns-subscription-arn": message["subscription"],
        "Content-Type": "text/plain; charset=UTF-8",
        "User-Agent": "Amazon Simple Notification Service Agent",
    }
    try:
        answer = requests.post(
            message["endpoint"],
            message["body"].encode(),
            headers=headers,
            timeout=TIMEOUT,
            allow_redirects=False,
        )
    except requests.RequestException as problem:
        return False, type(problem).__name__
    return 200 <= answer.status_code < 300, str(answer.status_code)
