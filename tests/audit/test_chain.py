"""The first broken row is named, and what was done to it."""

from collections.abc import Callable
from io import StringIO
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.actions import record
from audit.chain import verify
from audit.models import Event, Head
from tests.audit.conftest import commit_rules, sql, verdict, without_rules
from tests.examples import ONE_WORLD

pytestmark = pytest.mark.django_db
GetEvent = Callable[[int], Event]
COPY = "account_id, by, action, subject, facts, reference, prev_hash, hash"


def test_an_untouched_chain_holds(chain: UUID) -> None:
    assert verdict(chain).broken == ""
    assert verdict(chain).events == 8
    assert len([one for one in verify() if not one.broken]) == 3


@pytest.mark.parametrize(
    "change",
    [
        "by = 'user:9'",
        "action = 'server.kept'",
        "subject = subject || ' '",
        "facts = '{\"number\": 99}'",
        "reference = 'x'",
        "at = at + interval '1 microsecond'",
        "hash = sha256(hash)",
        "prev_hash = sha256(prev_hash)",
    ],
)
def test_an_altered_row_is_named(chain: UUID, event: GetEvent, change: str) -> None:
    victim = event(5)
    with without_rules():
        sql(f"UPDATE audit_event SET {change} WHERE id = %s", victim.pk)
    assert verdict(chain).broken == f"event {victim.pk} was altered"
    assert verdict(chain).events == 4


def test_a_fields_end_cannot_be_moved_into_the_next(chain: UUID, event: GetEvent) -> None:
    victim = event(2)
    with without_rules():
        sql("UPDATE audit_event SET by = 'user', action = ':1' || action WHERE id = %s", victim.pk)
    assert f"event {victim.pk} was altered" in verdict(chain).broken


def test_deleted_rows_are_counted_and_the_next_one_named(chain: UUID, event: GetEvent) -> None:
    next_one = event(5)
    with without_rules():
        sql("DELETE FROM audit_event WHERE account_id = %s AND seq IN (3, 4)", chain)
    assert verdict(chain).broken == f"event {next_one.pk} is number 5, and 3 to 4 before it is missing"


def test_a_cut_off_end_is_missed(chain: UUID) -> None:
    with without_rules():
        sql("DELETE FROM audit_event WHERE account_id = %s AND seq > 6", chain)
    assert verdict(chain).broken == "events 7 to 8 are missing from its end"


def test_a_chain_deleted_as_a_whole_is_missed(chain: UUID) -> None:
    with without_rules():
        sql("DELETE FROM audit_event WHERE account_id = %s", chain)
    assert verdict(chain).broken == "events 1 to 8 are missing from its end"
    assert [one.chain for one in verify() if one.broken] == [chain]


@pytest.mark.parametrize(("one", "other"), [(3, 6), (3, 4), (1, 2), (7, 8), (1, 8)])
def test_two_swapped_rows_are_seen_as_moved(chain: UUID, event: GetEvent, one: int, other: int) -> None:
    stands_first = event(other)
    with without_rules():
        sql(
            "UPDATE audit_event SET seq = %s - seq WHERE account_id = %s AND seq IN (%s, %s)",
            one + other,
            chain,
            one,
            other,
        )
    assert (
        verdict(chain).broken
        == f"event {stands_first.pk} was moved: it is number {other} and stands as {one}"
    )


def test_a_row_without_a_hash_was_inserted(chain: UUID) -> None:
    with without_rules():
        forged = Event.objects.create(account_id=chain, by="user:1", action="a.b")
    assert verdict(chain).broken == f"event {forged.pk} was inserted: it has no place in the chain"


def test_a_copied_row_was_inserted(chain: UUID) -> None:
    with without_rules():
        sql(
            f"INSERT INTO audit_event ({COPY}, seq) SELECT {COPY}, seq FROM audit_event WHERE account_id = %s AND seq = 4",
            chain,
        )
    forged = Event.objects.latest("id")
    assert (
        verdict(chain).broken
        == f"event {forged.pk} shares the number 4 with another event: one of the two was inserted"
    )


def test_a_well_made_row_after_the_end_was_inserted(chain: UUID) -> None:
    with without_rules():
        forged = Event.objects.create(
            account_id=chain, by="user:1", action="a.b", seq=9, prev_hash=Head.objects.get(chain=chain).hash
        )
        sql("UPDATE audit_event e SET hash = audit_hash(e.prev_hash, e) WHERE id = %s", forged.pk)
    assert verdict(chain).broken == f"event {forged.pk} was inserted: the chain ends at 8"


def test_a_row_pushed_in_with_all_later_ones_renumbered_is_named(chain: UUID, event: GetEvent) -> None:
    displaced = event(4)
    with without_rules():
        sql("UPDATE audit_event SET seq = seq + 1 WHERE account_id = %s AND seq >= 4", chain)
        forged = Event.objects.create(
            account_id=chain, by="user:1", action="a.b", seq=4, prev_hash=event(3).hash
        )
        sql("UPDATE audit_event e SET hash = audit_hash(e.prev_hash, e) WHERE id = %s", forged.pk)
    assert verdict(chain).broken == f"event {displaced.pk} was moved: it is number 4 and stands as 5"


def test_a_row_written_anew_with_its_own_hash_breaks_the_next(chain: UUID, event: GetEvent) -> None:
    victim, next_one = event(4), event(5)
    with without_rules():
        sql("UPDATE audit_event SET by = 'user:9' WHERE id = %s", victim.pk)
        sql("UPDATE audit_event e SET hash = audit_hash(e.prev_hash, e) WHERE id = %s", victim.pk)
    assert verdict(chain).broken.startswith(f"event {next_one.pk} does not follow number 4")


def test_an_event_of_an_account_that_never_had_one_was_inserted(db: None) -> None:
    account = uuid4()
    with without_rules():
        forged = Event.objects.create(
            account_id=account, by="user:1", action="a.b", seq=1, prev_hash=b"", hash=b"x"
        )
    assert f"event {forged.pk} was inserted" in verdict(account).broken
    assert [one.chain for one in verify() if one.broken] == [account]


def test_an_event_moved_to_another_account_breaks_both_chains(chain: UUID, event: GetEvent) -> None:
    victim = event(4)
    other = Event.objects.exclude(account_id=chain).exclude(account_id=None).first().account_id
    with without_rules():
        sql("UPDATE audit_event SET account_id = %s WHERE id = %s", other, victim.pk)
    assert f"event {event(5).pk} is number 5, and 4 before it is missing" in verdict(chain).broken
    assert str(victim.pk) in verdict(other).broken


FIELDS = st.sampled_from(["by", "action", "subject", "reference"])


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=ONE_WORLD,
)
@given(
    seq=st.integers(1, 8),
    field=FIELDS,
    text=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20),
)
def test_any_other_text_in_any_row_is_found(
    chain: UUID, event: GetEvent, seq: int, field: str, text: str
) -> None:
    victim = event(seq)
    with transaction.atomic():
        with without_rules():
            sql(f"UPDATE audit_event SET {field} = %s WHERE id = %s", text, victim.pk)
        broken = verdict(chain).broken
        transaction.set_rollback(True)
    assert broken == ("" if getattr(victim, field) == text else f"event {victim.pk} was altered")


def verified(*options: str) -> str:
    out = StringIO()
    call_command("verify_audit", *options, stdout=out)
    return out.getvalue()


def test_the_command_prints_a_line_for_each_chain(chain: UUID) -> None:
    assert f"ok  account {chain}: 8 events hold, up to 8 " in verified()
    assert "ok  the house: 8 events hold" in verified()
    assert verified("--account", str(chain)).count("ok  ") == 1
    assert verified("--account", "house").splitlines()[-1] == "8 events checked"


def test_the_command_fails_and_names_the_row(chain: UUID, event: GetEvent) -> None:
    victim = event(2)
    with without_rules():
        sql("UPDATE audit_event SET by = 'x' WHERE id = %s", victim.pk)
    out = StringIO()
    with pytest.raises(CommandError, match="1 chain broken") as failure:
        call_command("verify_audit", stdout=out)
    assert failure.value.returncode == 1
    assert f"BROKEN  account {chain}: event {victim.pk} was altered" in out.getvalue()


def test_the_next_event_goes_on_from_the_last(chain: UUID) -> None:
    record("server.ready", by="program:Provision", account=chain)
    commit_rules()
    assert verdict(chain).events == 9
