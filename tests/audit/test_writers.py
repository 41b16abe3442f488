"""Many write at once, to the same chains, in any order."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from django.db import close_old_connections, connection, transaction

from audit.actions import record
from audit.chain import verify
from audit.models import Event
from tests.audit.conftest import verdict

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS, TIMES = 8, 12


def write(accounts: list[UUID | None], writer: int) -> None:
    """Each transaction writes to all accounts; every second writer in the opposite order."""
    order = accounts if writer % 2 else accounts[::-1]
    try:
        for number in range(TIMES):
            with transaction.atomic():
                for account in order:
                    record("server.wanted", by=f"user:{writer}", account=account, number=number)
    finally:
        connection.close()


def test_chains_hold_under_eight_writers_and_nobody_waits_for_ever() -> None:
    accounts: list[UUID | None] = [uuid4(), uuid4(), uuid4(), None]
    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(write, accounts, writer) for writer in range(WRITERS)]:
            done.result(timeout=120)
    counts = Counter(Event.objects.values_list("account_id", flat=True))
    assert counts == dict.fromkeys(accounts, WRITERS * TIMES)
    assert [one.broken for one in verify()] == [""] * 4
    close_old_connections()


def test_who_records_and_then_takes_long_holds_nobody_up() -> None:
    """A step records, then waits for an outside service; the account's other events go on meanwhile."""
    account = uuid4()
    recorded, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                record("server.slow", by="program:Provision", account=account)
                recorded.set()
                go_on.wait(60)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        step = pool.submit(slow)
        assert recorded.wait(60)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '20s'")
            record("server.quick", by="user:1", account=account)
        go_on.set()
        step.result(timeout=60)
    assert list(Event.objects.order_by("seq").values_list("action", flat=True)) == [
        "server.quick",
        "server.slow",
    ]
    assert verdict(account).broken == ""


def test_the_times_of_a_chain_never_run_backwards() -> None:
    """The slow one began first and is numbered last: it bears the time of the one before it."""
    test_who_records_and_then_takes_long_holds_nobody_up()
    first, second = Event.objects.order_by("seq").values_list("at", flat=True)
    assert second >= first


def test_many_events_of_one_transaction_are_numbered_in_their_order() -> None:
    account = uuid4()
    with transaction.atomic():
        for number in range(300):
            record("server.wanted", by="user:1", account=account, number=number)
    facts = Event.objects.order_by("seq").values_list("facts", flat=True)
    assert [one["number"] for one in facts] == list(range(300))
    assert verdict(account).events == 300
