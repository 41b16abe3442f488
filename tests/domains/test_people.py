"""What concerns the person behind a mailbox: forwarding, out-of-office answers, passwords of devices."""

import base64
import hashlib
import json
from datetime import date
from typing import Any

import pytest

from audit.models import Event
from domains import actions
from domains.models import AppPassword, Domain, Mailbox
from domains.refusals import BadName, Refusal, TooMany
from domains.wanted import mail
from tests.domains.conftest import BY

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 12, 24), date(2026, 12, 27)


def wanted(mailbox: Mailbox) -> dict[str, Any]:
    return dict(mail(mailbox.domain.home)["mailboxes"][0])


def away(mailbox: Mailbox, **more: Any) -> Mailbox:
    wishes: dict[str, Any] = {"subject": "Away", "text": "Back soon", "begins": None, "ends": None, **more}
    return actions.set_vacation(mailbox=mailbox, by=BY, **wishes)


def test_forwarded_mail_stays_only_if_that_is_wanted(anna: Mailbox) -> None:
    actions.set_forward(mailbox=anna, to=["A@y.test", " ", "b@y.test"], keep_copy=False, by=BY)
    assert (wanted(anna)["forward"], wanted(anna)["keep_copy"]) == (["a@y.test", "b@y.test"], False)


def test_what_is_forwarded_to_nobody_stays(anna: Mailbox) -> None:
    actions.set_forward(mailbox=anna, to=[], keep_copy=False, by=BY)
    assert (wanted(anna)["forward"], wanted(anna)["keep_copy"]) == ([], True)


def test_mail_stays_where_its_only_target_was_removed(firm: Domain, anna: Mailbox) -> None:
    alias = actions.add_alias(domain=firm, local="team", targets=["x@y.test"], by=BY)
    actions.set_forward(mailbox=anna, to=["team@firm.test"], keep_copy=False, by=BY)
    actions.remove_alias(alias=alias, by=BY)
    assert (wanted(anna)["forward"], wanted(anna)["keep_copy"]) == ([], True)


@pytest.mark.parametrize(
    ("to", "words"),
    [
        (["x"], "no mail address"),
        ([f"a{n}@y.test" for n in range(6)], "at most 5 addresses"),
        (["nobody@firm.test"], r"no mailbox and no alias nobody@firm\.test yet"),
    ],
)
def test_forwarding_leads_to_addresses_that_can_be(anna: Mailbox, to: list[str], words: str) -> None:
    with pytest.raises((BadName, TooMany), match=words):
        actions.set_forward(mailbox=anna, to=to, keep_copy=True, by=BY)
    anna.refresh_from_db()
    assert anna.forward == []


def test_an_answer_has_days_or_none(anna: Mailbox) -> None:
    away(anna, text=" Back\r\non Monday\n", begins=FIRST, ends=LAST)
    said = {"subject": "Away", "text": "Back\non Monday", "begins": "2026-12-24", "ends": "2026-12-27"}
    assert wanted(anna)["vacation"] == said
    away(anna)
    assert wanted(anna)["vacation"] == {"subject": "Away", "text": "Back soon", "begins": None, "ends": None}
    away(anna, text="  ")
    assert wanted(anna)["vacation"] is None
    assert list(
        Event.objects.filter(action__startswith="mailbox.vac").order_by("id").values_list("action", flat=True)
    ) == [
        "mailbox.vacation_set",
        "mailbox.vacation_set",
        "mailbox.vacation_ended",
    ]


def test_an_answer_without_a_subject_gets_one(anna: Mailbox) -> None:
    assert away(anna, subject=" \n ").vacation_subject == "Out of office"
    assert away(anna, subject="Away\r\nBcc: x@y.test").vacation_subject == "Away Bcc: x@y.test"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"begins": LAST, "ends": FIRST}, "ends"),
        ({"subject": "x" * 201}, "subject"),
        ({"text": "x" * 5001}, "text"),
    ],
)
def test_an_answer_that_cannot_be_is_refused(anna: Mailbox, change: dict[str, Any], field: str) -> None:
    with pytest.raises(Refusal) as caught:
        away(anna, **change)
    assert caught.value.field == field


def test_what_an_answer_says_is_in_no_event(anna: Mailbox) -> None:
    away(anna, text="I am in hospital")
    assert "hospital" not in json.dumps(list(Event.objects.values_list("facts", flat=True)))


def test_an_app_password_is_shown_once_and_kept_as_a_hash(anna: Mailbox) -> None:
    row, secret = actions.add_app_password(mailbox=anna, label=" Anna's \n telephone ", by=BY)
    assert row.label == "Anna's telephone"
    raw = base64.b64decode(AppPassword.objects.get().hash.removeprefix("{SSHA512}"))
    assert hashlib.sha512(secret.encode() + raw[64:]).digest() == raw[:64]
    assert Event.objects.get(action="app_password.added").facts == {
        "address": "anna@firm.test",
        "label": "Anna's telephone",
    }


def test_a_mailbox_has_at_most_eight(anna: Mailbox) -> None:
    made = [actions.add_app_password(mailbox=anna, label=f"device {n}", by=BY) for n in range(8)]
    with pytest.raises(TooMany, match="at most 8"):
        actions.add_app_password(mailbox=anna, label="one more", by=BY)
    assert len({secret for _row, secret in made}) == 8
    actions.revoke_app_password(app_password=made[3][0], by=BY)
    actions.add_app_password(mailbox=anna, label="one more", by=BY)


def test_a_revoked_one_is_ordered_no_more_and_revoked_once(anna: Mailbox) -> None:
    row, _secret = actions.add_app_password(mailbox=anna, label="telephone", by=BY)
    actions.revoke_app_password(app_password=row, by=BY)
    assert wanted(anna)["app_passwords"] == []
    with pytest.raises(Refusal, match="removed a moment ago"):
        actions.revoke_app_password(app_password=AppPassword(pk=row.pk, mailbox=anna), by=BY)


@pytest.mark.parametrize("label", ["", " \n", "x" * 61])
def test_a_device_has_a_name(anna: Mailbox, label: str) -> None:
    with pytest.raises(Refusal) as caught:
        actions.add_app_password(mailbox=anna, label=label, by=BY)
    assert caught.value.field == "label"
