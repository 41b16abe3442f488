"""A pasted key is tried at Amazon and by the server, and says what keeps it from use."""

from datetime import timedelta

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from audit.models import Event
from clients.aws_policy import policy
from domains import ses
from domains.models import Domain, WayOut
from domains.refusals import BadCredentials
from engine.models import Run
from sending import actions
from sending.models import Credentials, Identity, Standing, Topic
from tests.sandbox.aws.place import OFF, REGION, Place
from tests.sending.conftest import BY, answer, codes, due_now, fresh, paste
from vault.models import Secret

NO_SIGN_IN = (535, "535 Authentication Credentials Invalid")


def test_a_good_key_is_set_up_handed_to_the_server_and_in_use_once_its_letter_left(
    amazon: Place, firm: Domain
) -> None:
    row = paste(firm, amazon.key())
    assert (codes(row), row.state) == ([], "candidate")
    assert row.tried_at
    assert WayOut.objects.get(home=firm.home).access_key == row.access_key
    answer(firm.home)

    row = fresh(row)
    assert (row.state, len(row.aws_account)) == ("in_use", 12)
    assert Standing.objects.get(home=firm.home).region == REGION
    assert len(Identity.objects.get(domain=firm).tokens) == 3
    assert Topic.objects.get(home=firm.home).arn.startswith(f"arn:aws:sns:{REGION}:{row.aws_account}:")


def test_the_policy_that_we_show_is_enough(amazon: Place, firm: Domain) -> None:
    account = amazon.post("accounts")["account"]
    least = policy(region=REGION, domains=[firm.name], account=account)
    row = paste(firm, amazon.key(account=account, policy=least))
    assert codes(row) == []
    answer(firm.home)
    assert fresh(row).state == "in_use"


def test_missing_permissions_are_named_all_at_once_and_looked_for_again_by_itself(
    amazon: Place, firm: Domain
) -> None:
    account = amazon.post("accounts")["account"]
    least = policy(region=REGION, domains=[firm.name], account=account)
    less = {
        **least,
        "Statement": [
            without(one, "sns:CreateTopic", "ses:CreateEmailIdentity") for one in least["Statement"]
        ],
    }
    key = amazon.key(account=account, policy=less)
    row = paste(firm, key)
    assert codes(row) == ["permission", "permission"]
    assert {each["facts"]["action"].lower() for each in row.refusals} == {
        "sns:createtopic",
        "ses:createemailidentity",
    }
    assert not WayOut.objects.filter(home=firm.home).exists()

    amazon.post("users", account=account, user="mailat-sending", policy=least)
    due_now()
    assert codes(row) == []


def without(statement: dict, *actions: str) -> dict:
    return {**statement, "Action": [one for one in statement["Action"] if one not in actions]}


def test_a_wrong_secret_and_an_unknown_key_are_told_apart(amazon: Place, firm: Domain) -> None:
    key = amazon.key()
    row = paste(firm, {**key, "secret": "x" * 40})
    assert codes(row) == ["wrong_secret"]
    row = paste(firm, {**key, "access_key": "AKIA" + "7" * 16})
    assert codes(row) == ["wrong_key"]


def test_the_owners_key_is_refused(amazon: Place, firm: Domain) -> None:
    assert codes(paste(firm, amazon.key(kind="root"))) == ["root_key"]


@pytest.mark.parametrize(
    "change", [{"access_key": "ASIA" + "A" * 16}, {"secret_key": "BL" + "a" * 42}, {"port": 25}]
)
def test_what_cannot_be_a_key_is_refused_before_anything_is_kept(firm: Domain, change: dict) -> None:
    wish = {"access_key": "AKIA" + "A" * 16, "secret_key": "s" * 40, **change}
    with pytest.raises(BadCredentials):
        actions.propose(
            account=firm.account, home=firm.home, region=REGION, sender_domain=firm, by=BY, **wish
        )
    assert not Secret.objects.exists()


def test_a_region_that_is_off_is_said(amazon: Place, firm: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ses.REGIONS, OFF, "Milan")
    key = amazon.key()
    assert codes(paste(firm, key, region=OFF)) == ["region_off"]


def test_a_new_key_is_tried_beside_the_old_one_which_is_shredded_only_then(
    amazon: Place, firm: Domain
) -> None:
    old = paste(firm, amazon.key())
    answer(firm.home)
    new = paste(firm, amazon.key(account=fresh(old).aws_account))
    assert (fresh(old).state, Secret.objects.get(pk=old.secret_id).shredded_at) == ("in_use", None)
    answer(firm.home)

    assert (fresh(new).state, fresh(old).state, fresh(old).ended_why) == ("in_use", "ended", "replaced")
    assert bytes(Secret.objects.get(pk=old.secret_id).sealed) == b""


def test_a_key_with_which_the_server_cannot_sign_in_gives_way_to_the_old_one(
    amazon: Place, firm: Domain
) -> None:
    old = paste(firm, amazon.key())
    answer(firm.home)
    new = paste(firm, amazon.key(account=fresh(old).aws_account))
    answer(firm.home, NO_SIGN_IN)

    assert codes(new) == ["smtp"]
    assert (fresh(new).state, fresh(old).state) == ("candidate", "in_use")
    assert WayOut.objects.get(home=firm.home).access_key == old.access_key


@pytest.mark.parametrize("said", [(0, "not known"), (454, "454 Temporary authentication failure")])
def test_no_answer_proves_nothing_and_the_letter_is_asked_for_anew(
    amazon: Place, firm: Domain, said: tuple[int, str]
) -> None:
    row = paste(firm, amazon.key())
    answer(firm.home, said)
    assert (codes(row), fresh(row).state) == ([], "candidate")
    Run.objects.filter(subject=row.subject).update(step_since=timezone.now() - timedelta(hours=1))
    due_now()
    answer(firm.home)
    assert fresh(row).state == "in_use"


def test_removal_ends_the_way_out_and_shreds_every_secret(amazon: Place, firm: Domain) -> None:
    row = paste(firm, amazon.key())
    answer(firm.home)
    actions.remove(home=firm.home, by=BY)

    assert not WayOut.objects.filter(home=firm.home).exists()
    assert [bytes(one.sealed) for one in Secret.objects.all()] == [b""]
    assert (fresh(row).state, fresh(row).ended_why) == ("ended", "removed")
    assert events(firm) >= {"credentials.given", "credentials.in_use", "credentials.ended", "secret.shredded"}
    due_now()
    assert not Run.objects.filter(subject=f"sending:{firm.home}", finished_at=None).exists()


def events(firm: Domain) -> set[str]:
    rows: QuerySet[Event] = Event.objects.filter(account_id=firm.account_id)
    return set(rows.values_list("action", flat=True))


def test_no_event_and_no_row_repeats_a_secret(amazon: Place, firm: Domain) -> None:
    key = amazon.key()
    paste(firm, key)
    answer(firm.home)
    told = str(list(Event.objects.values_list("facts", flat=True))) + str(list(Credentials.objects.values()))
    assert key["secret"] not in told + str(list(Run.objects.values("args", "error")))
