"""What people paste from AWS, and what is sealed of it."""

import base64
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Account
from agent.mailat_agent.mail import state
from agent.mailat_agent.mail.sealed import CannotOpen, relay_password
from audit.models import Event
from clients.aws_keys import CODES, is_smtp_password, smtp_password
from domains import actions, ses
from domains.models import Domain, WayOut
from domains.refusals import BadCredentials, InUse, Refusal
from domains.wanted import mail
from sandbox.internet import addresses
from tests.domains.conftest import ACCESS_KEY, BY, PASSWORD_OF_SES, SECRET_KEY, seal_pair, set_way_out
from vault import sealing

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def test_the_smtp_password_is_the_one_that_aws_derives() -> None:
    assert smtp_password(SECRET_KEY, "us-east-1") == PASSWORD_OF_SES
    assert smtp_password(SECRET_KEY, "eu-west-1") != PASSWORD_OF_SES


def test_the_sandbox_takes_mail_in_the_regions_that_are_offered_and_in_no_other() -> None:
    assert sorted(ses.REGIONS) == addresses.REGIONS
    assert {ses.endpoint(one) for one in ses.REGIONS} == {
        addresses.ses_name(one) for one in addresses.REGIONS
    }


@given(st.text(alphabet="ABCabc019/+", min_size=40, max_size=40), st.sampled_from(sorted(ses.REGIONS)))
def test_every_smtp_password_is_known_as_one(secret: str, region: str) -> None:
    """Whoever pastes it instead of the secret is told so."""
    assert is_smtp_password(smtp_password(secret, region))


REFUSED = {
    "temporary": ({"access_key": "ASIAIOSFODNN7EXAMPLE"}, "access_key", "temporary one"),
    "no key": ({"access_key": "hunter2"}, "access_key", "begins with AKIA"),
    "a key in small letters": ({"access_key": ACCESS_KEY.lower()}, "access_key", "begins with AKIA"),
    "the secret as the key": ({"access_key": SECRET_KEY}, "access_key", "begins with AKIA"),
    "no region": ({"region": ""}, "region", "Choose the AWS region"),
    "an unknown region": ({"region": "eu-central-9"}, "region", "no way to hand mail to SES in eu-central-9"),
    "a region without SMTP": (
        {"region": "ap-southeast-3"},
        "region",
        "no way to hand mail to SES in ap-southeast-3",
    ),
    "another host": ({"region": "x.evil.test/"}, "region", "Choose the AWS region"),
    "a closed port": ({"port": 25}, "port", "587 or 2587"),
    "no agent yet": ({"seal_key": ""}, "", "has not called us yet"),
    "an agent's key of another kind": ({"seal_key": "AAAA"}, "", "has not called us yet"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_is_refused_in_words_that_repeat_no_secret(firm: Domain, case: str) -> None:
    change, field, words = REFUSED[case]
    with pytest.raises(Refusal, match=words) as caught:
        set_way_out(firm, **change)
    assert caught.value.field == field
    for value in (SECRET_KEY, PASSWORD_OF_SES):
        assert value not in str(caught.value)
    assert not WayOut.objects.exists()
    assert not Event.objects.filter(action="way_out.set").exists()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (PASSWORD_OF_SES, "SMTP password"),
        (SECRET_KEY[:-1], "exactly 40"),
        (SECRET_KEY + "x", "exactly 40"),
        ("ä" * 40, "exactly 40"),
    ],
    ids=["an SMTP password", "too short", "too long", "other letters"],
)
def test_what_is_no_secret_key_is_refused_in_words_that_do_not_repeat_it(typed: str, words: str) -> None:
    with pytest.raises(BadCredentials, match=words) as caught:
        ses.good_credentials(ACCESS_KEY, typed)
    assert caught.value.field == "secret"
    assert typed not in str(caught.value)
    assert ses.good_credentials(f"\ufeff{ACCESS_KEY} ", f" {SECRET_KEY}\n") == (ACCESS_KEY, SECRET_KEY)


def test_each_thing_that_a_paste_can_be_has_a_sentence_of_its_own_beside_its_field() -> None:
    assert set(ses.WRONG) == set(CODES)
    assert len({str(one) for one in ses.WRONG.values()}) == len(CODES)
    assert set(CODES) >= ses.OF_SECRETS


@pytest.mark.django_db
def test_only_the_agent_of_this_server_can_open_what_is_sealed(firm: Domain) -> None:
    seal_key, private = seal_pair()
    set_way_out(
        firm,
        region=" US-East-1 ",
        access_key=f" {ACCESS_KEY}\n",
        seal_key=seal_key,
    )
    row = WayOut.objects.get()
    info = b"mailat-relay-v1\n" + str(firm.home).encode()
    sealed = base64.b64decode(row.sealed)
    assert SUITE.decrypt(sealed, private, info=info) == PASSWORD_OF_SES.encode()
    assert (row.region, row.access_key, row.seal_key) == ("us-east-1", ACCESS_KEY, seal_key)
    for wrong in (
        b"mailat-relay-v1\n" + str(uuid4()).encode(),
        b"mailat-backup-v1\n" + str(firm.home).encode(),
    ):
        with pytest.raises(InvalidTag):
            SUITE.decrypt(sealed, private, info=wrong)
    with pytest.raises(InvalidTag):
        SUITE.decrypt(sealed, seal_pair()[1], info=info)
    assert (
        relay_password(private, str(firm.home), row.sealed) == PASSWORD_OF_SES
    )  # the agent's own reading of RFC 9180
    with pytest.raises(CannotOpen):
        relay_password(private, str(uuid4()), row.sealed)


def test_the_same_secret_is_never_sealed_twice_alike() -> None:
    seal_key, _private = seal_pair()
    assert len({sealing.seal_to(seal_key, b"x", "secret") for _ in range(5)}) == 5


@pytest.mark.parametrize("key", ["", "x", "AAAA", "ä", base64.b64encode(b"x" * 33).decode()])
def test_what_is_no_public_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="no public key"):
        sealing.seal_to(key, b"x", "secret")


@pytest.mark.django_db
def test_new_credentials_take_the_place_of_the_old(firm: Domain) -> None:
    set_way_out(firm)
    set_way_out(firm, region="eu-west-1", access_key="AKIA0000111122223333")
    row = WayOut.objects.get()
    assert (row.region, row.access_key) == ("eu-west-1", "AKIA0000111122223333")
    assert [one.facts["key"] for one in Event.objects.filter(action="way_out.set").order_by("id")] == [
        ACCESS_KEY[-4:],
        "3333",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("region", sorted(ses.REGIONS))
def test_the_agent_takes_the_endpoint_of_every_region(firm: Domain, region: str) -> None:
    set_way_out(firm, region=region)
    rest = {
        "acme": {"directory": "https://a.test/"},
        "canary_every": 60,
        "reboot": {"days": [], "hour": 0, "hours": 1},
    }
    now = state.read(json.loads(json.dumps({**mail(firm.home), **rest})))
    assert now.relay is not None
    assert now.relay.host == f"email-smtp.{region}.amazonaws.com"


@pytest.mark.django_db
def test_the_sender_is_a_domain_of_this_server(firm: Domain, account: Account, home: UUID) -> None:
    elsewhere = actions.add_domain(account=account, home=uuid4(), name="there.test", by=BY)
    stranger = actions.add_domain(
        account=Account.objects.create(name="x"), home=home, name="theirs.test", by=BY
    )
    for domain in (elsewhere, stranger):
        with pytest.raises(Refusal, match="domains of this server"):
            set_way_out(firm, sender_domain=domain)


@pytest.mark.django_db
def test_another_domain_can_stand_for_mail_without_a_sender(firm: Domain, account: Account) -> None:
    set_way_out(firm)
    shop = actions.add_domain(account=account, home=firm.home, name="shop.test", by=BY)
    with pytest.raises(InUse, match=r"in the name of firm\.test"):
        actions.remove_domain(domain=firm, confirmed=True, by=BY)
    actions.set_sender(home=firm.home, sender_domain=shop, by=BY)
    actions.remove_domain(domain=firm, confirmed=True, by=BY)
    assert mail(shop.home)["relay"]["sender"] == "postmaster@shop.test"


@pytest.mark.django_db
def test_a_way_out_is_removed_once(firm: Domain) -> None:
    set_way_out(firm)
    actions.remove_way_out(home=firm.home, by=BY)
    assert mail(firm.home)["relay"] is None
    with pytest.raises(Refusal, match="no way out yet"):
        actions.remove_way_out(home=firm.home, by=BY)
    assert Event.objects.filter(action="way_out.removed").count() == 1


def test_credentials_that_are_refused_say_which_field() -> None:
    for check, typed, field in (
        (ses.good_region, "x", "region"),
        (ses.good_access_key, "x", "access_key"),
        (lambda typed: ses.good_credentials(ACCESS_KEY, typed), "x", "secret"),
    ):
        with pytest.raises(BadCredentials) as caught:
            check(typed)
        refusal: Any = caught.value
        assert refusal.field == field
