"""Nothing that happened can be changed, by whatever way it is tried."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit import receipts
from audit.actions import record
from audit.models import Event, Head, Receipt
from tests.audit.conftest import commit_rules, sql
from vault import signing

pytestmark = pytest.mark.django_db


@pytest.fixture
def receipt(chain: UUID) -> Receipt:
    return receipts.issue(account=chain, subject="server:1", facts={"n": 1}, sign=signing.sign)


def refused(act: Callable[[], object]) -> bool:
    try:
        with transaction.atomic():
            act()
            commit_rules()
    except IntegrityError:
        return True
    return False


@pytest.mark.parametrize("model", [Event, Head, Receipt])
def test_rows_are_neither_changed_nor_deleted_through_the_orm(model: type, receipt: Receipt) -> None:
    one = model.objects.first()
    field = "text" if model is Receipt else "at" if model is Head else "by"
    assert refused(lambda: model.objects.filter(pk=one.pk).update(**{field: getattr(one, field)}))
    assert refused(lambda: model.objects.filter(pk=one.pk).delete())
    assert refused(one.save)
    assert refused(one.delete)


PARTS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_event'::regclass"


def test_rows_are_neither_changed_nor_deleted_nor_truncated_by_sql(receipt: Receipt) -> None:
    for table in ("audit_event", "audit_head", "audit_receipt"):
        column = {"audit_event": "by", "audit_head": "seq", "audit_receipt": "text"}[table]
        assert refused(lambda t=table, c=column: sql(f"UPDATE {t} SET {c} = {c}"))
        assert refused(lambda t=table: sql(f"DELETE FROM {t}"))
        assert refused(lambda t=table: sql(f"TRUNCATE {t} CASCADE"))


def test_the_parts_of_the_log_are_guarded_too(chain: UUID) -> None:
    parts = [name for (name,) in sql(PARTS)]
    full = [name for name in parts if sql(f"SELECT 1 FROM {name} LIMIT 1")]
    assert len(parts) >= 4
    assert len(full) == 1
    assert all(refused(lambda p=part: sql(f"TRUNCATE {p}")) for part in parts)
    assert refused(lambda: sql(f"UPDATE {full[0]} SET by = 'user:9'"))
    assert refused(lambda: sql(f"DELETE FROM {full[0]}"))


def test_an_event_is_not_changed_before_its_commit_either(db: None) -> None:
    record("server.wanted", by="user:1")
    assert refused(lambda: Event.objects.update(by="user:2"))
    assert refused(lambda: Event.objects.all().delete())


def test_nobody_writes_history_afterwards(chain: UUID) -> None:
    yesterday = timezone.now() - timezone.timedelta(days=1)
    tomorrow = timezone.now() + timezone.timedelta(days=1)
    for at in (yesterday, tomorrow):
        assert refused(lambda at=at: Event.objects.create(by="user:1", action="a.b", at=at))


def test_nobody_numbers_an_event_but_postgres(chain: UUID) -> None:
    assert refused(lambda: Event.objects.create(by="user:1", action="a.b", seq=9))
    assert refused(lambda: Event.objects.create(by="user:1", action="a.b", hash=b"x"))


def test_the_end_of_a_chain_is_not_moved_by_hand(chain: UUID) -> None:
    head = Head.objects.get(chain=chain)
    rows = Head.objects.filter(chain=chain)
    assert refused(lambda: rows.update(seq=head.seq + 1))
    assert refused(lambda: rows.update(hash=b"x"))
    assert refused(lambda: rows.update(anchor_seq=3, anchor_hash=b"x"))
    assert refused(lambda: sql("INSERT INTO audit_head (chain, seq) VALUES (%s, 7)", uuid4()))


def test_a_trigger_of_ones_own_is_no_way_around(chain: UUID) -> None:
    """Our own trigger may number an event because it is a trigger; another trigger may not touch a numbered one."""
    sql("CREATE TEMP TABLE bait (n int)")
    sql(
        "CREATE FUNCTION pg_temp.bite() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN UPDATE audit_event SET by = 'user:9'; RETURN NEW; END $$"
    )
    sql("CREATE TRIGGER bite BEFORE INSERT ON bait FOR EACH ROW EXECUTE FUNCTION pg_temp.bite()")
    assert refused(lambda: sql("INSERT INTO bait VALUES (1)"))
