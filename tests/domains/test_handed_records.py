"""Records that Amazon wants to see stand with the others, and only a change is an event."""

import dns.zone
import pytest

from audit.models import Event
from domains import actions, records
from domains.models import Domain, HandedRecord
from domains.refusals import Refusal
from tests.accounts.test_races import MANY, all_at_once
from tests.domains.conftest import BY

pytestmark = pytest.mark.django_db
FIELDS = ("purpose", "type", "name", "value")
KEYS = [
    ("ses-dkim", "CNAME", f"{token}._domainkey.firm.test", f"{token}.dkim.amazonses.com.") for token in "abc"
]
ENVELOPE = [
    ("ses-mail-from", "MX", "bounces.firm.test", "10 feedback-smtp.eu-central-1.amazonses.com."),
    ("ses-spf", "TXT", "bounces.firm.test", "v=spf1 include:amazonses.com ~all"),
]


def hand(firm: Domain, rows: list[tuple[str, str, str, str]], source: str = "ses") -> bool:
    said = [dict(zip(FIELDS, row, strict=True)) for row in rows]
    return actions.hand_over_records(domain=firm, source=source, records=said)


def shown(firm: Domain) -> list[records.Record]:
    return [
        row
        for row in records.records(firm, "post.mailat.test", None, firm.handed.order_by("pk"))
        if row.purpose.startswith("ses-")
    ]


def test_they_are_shown_in_their_order_with_words_why_and_stand_in_the_zone(firm: Domain) -> None:
    assert hand(firm, KEYS + ENVELOPE)
    rows = shown(firm)
    assert [(row.purpose, row.type, row.name, row.value) for row in rows] == KEYS + ENVELOPE
    assert len({row.why for row in rows}) == 3
    assert all(row.why.endswith(".") for row in rows)
    zone = dns.zone.from_text(records.zone(rows), origin="firm.test.", relativize=False, check_origin=False)
    assert sum(len(one) for _name, one in zone.iterate_rdatasets()) == 5


def test_the_same_again_changes_nothing_and_a_change_replaces_all(firm: Domain) -> None:
    changed = [hand(firm, rows) for rows in (KEYS, KEYS, KEYS + ENVELOPE, ENVELOPE, [], [])]
    assert changed == [True, False, True, True, True, False]
    assert [one.facts["records"] for one in Event.objects.filter(action="domain.records_changed").order_by("id")] == [
        3, 5, 2, 0,
    ]  # fmt: skip


def test_what_another_wants_stays(firm: Domain) -> None:
    hand(firm, KEYS)
    hand(firm, ENVELOPE, "other")
    hand(firm, [])
    assert [row.purpose for row in shown(firm)] == ["ses-mail-from", "ses-spf"]


def test_a_purpose_of_tomorrow_has_words_too(firm: Domain) -> None:
    hand(firm, [("ses-new", "TXT", "firm.test", "x")])
    assert shown(firm)[0].why.startswith("Amazon asks for it")


@pytest.mark.parametrize(
    "row",
    [
        ("ses-dkim", "CNAME", "a._domainkey.other.test", "x."),
        ("ses-dkim", "CNAME", "a.notfirm.test", "x."),
        ("ses-dkim", "NS", "firm.test", "x."),
        ("ses-dkim", "CNAME", "a b.firm.test", "x."),
        ("ses-dkim", "CNAME", "a.firm.test", "x.\nevil.test. IN A 192.0.2.1"),
        ("ses-dkim", "CNAME", "a.firm.test", ""),
    ],
)
def test_what_is_no_record_of_the_domain_is_refused(firm: Domain, row: tuple[str, str, str, str]) -> None:
    with pytest.raises(ValueError, match="no "):
        hand(firm, [row])
    assert not HandedRecord.objects.exists()


def test_with_the_domain_they_are_gone(firm: Domain) -> None:
    hand(firm, KEYS)
    gone = Domain(pk=firm.pk, name=firm.name)
    actions.remove_domain(domain=firm, confirmed=True, by=BY)
    assert not HandedRecord.objects.exists()
    with pytest.raises(Refusal, match="removed a moment ago"):
        hand(gone, KEYS)


@pytest.mark.django_db(transaction=True)
def test_of_several_who_say_the_same_at_once_one_changes_it(firm: Domain) -> None:
    assert sorted(all_at_once(lambda _n: hand(firm, KEYS))) == [False] * (MANY - 1) + [True]
    assert HandedRecord.objects.count() == 3
