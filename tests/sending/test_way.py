"""The way out follows the key: its sender survives an older key's return, and a rebuilt server gets its password by itself."""

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from django.test import Client

from audit.models import Event
from clients.aws_keys import smtp_password
from domains import actions as domains
from domains.actions.way_out import INFO
from domains.models import Domain, WayOut
from domains.refusals import Refusal
from sending import actions, way
from sending.models import Credentials
from servers.models import Agent, Server
from servers.userdata import enrolment_token
from tests.domains.conftest import seal_pair
from tests.sandbox.aws.place import REGION, Place
from tests.sending.conftest import BY, answer, due_now, fresh, paste, work

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def opened(firm: Domain, private: X25519PrivateKey) -> str:
    """What the server reads in its order."""
    row = WayOut.objects.get(home=firm.home)
    return SUITE.decrypt(base64.b64decode(row.sealed), private, info=INFO + str(firm.home).encode()).decode()


def rebuilt(firm: Domain) -> X25519PrivateKey:
    """The server was made anew, and its agent has enrolled."""
    seal_key, private = seal_pair()
    Agent.objects.filter(server=firm.home).update(seal_key=seal_key)
    return private


def test_another_sender_stays_when_the_key_before_is_given_back(amazon: Place, firm: Domain) -> None:
    old = paste(firm, amazon.key())
    answer(firm.home)
    other = domains.add_domain(account=firm.account, home=firm.home, name="other.test", by=BY)
    new = paste(firm, amazon.key(account=fresh(old).aws_account))
    way.choose_sender(home=firm.home, sender_domain=other, by=BY)
    answer(firm.home, (535, "535 Authentication Credentials Invalid"))

    assert WayOut.objects.get(home=firm.home).access_key == old.access_key
    assert WayOut.objects.get(home=firm.home).sender == other
    assert {fresh(old).sender, fresh(new).sender} == {other}


def test_a_sender_that_is_refused_changes_nothing(amazon: Place, firm: Domain) -> None:
    row = paste(firm, amazon.key())
    elsewhere = domains.add_domain(account=firm.account, home=row.pk, name="elsewhere.test", by=BY)
    with pytest.raises(Refusal):
        way.choose_sender(home=firm.home, sender_domain=elsewhere, by=BY)
    assert (fresh(row).sender, WayOut.objects.get(home=firm.home).sender) == (firm, firm)


def test_the_key_before_is_given_back_although_its_domain_is_gone(amazon: Place, firm: Domain) -> None:
    old = paste(firm, amazon.key())
    answer(firm.home)
    other = domains.add_domain(account=firm.account, home=firm.home, name="other.test", by=BY)
    paste(other, amazon.key(account=fresh(old).aws_account))
    domains.remove_domain(domain=firm, confirmed=True, by=BY)
    answer(firm.home, (535, "535 Authentication Credentials Invalid"))
    found = WayOut.objects.get(home=other.home)
    assert (found.access_key, found.sender) == (old.access_key, other)


def test_a_server_that_was_made_anew_gets_its_password_by_the_next_look(amazon: Place, firm: Domain) -> None:
    key = amazon.key()
    row = paste(firm, key)
    answer(firm.home)
    private = rebuilt(firm)
    due_now()

    assert opened(firm, private) == smtp_password(key["secret"], REGION)
    event = Event.objects.get(action="credentials.sealed_anew")
    assert (event.by, event.subject) == ("program:WatchSending", row.subject)
    assert way.REBUILT in [one.facts["why"] for one in Event.objects.filter(action="secret.read")]
    assert not way.seal_anew(home=firm.home, by=BY), "once is enough"


def test_a_key_that_is_being_tried_is_sealed_anew_too(amazon: Place, firm: Domain) -> None:
    key = amazon.key()
    paste(firm, key)
    private = rebuilt(firm)
    due_now()
    assert opened(firm, private) == smtp_password(key["secret"], REGION)
    answer(firm.home)
    assert Credentials.objects.get(home=firm.home).state == "in_use"


def test_what_nobody_here_knows_is_not_sealed(amazon: Place, firm: Domain) -> None:
    """An older way out has no key in the vault; and a key of its own that is none changes nothing."""
    row = paste(firm, amazon.key())
    before = WayOut.objects.get(home=firm.home).sealed
    Agent.objects.filter(server=firm.home).update(seal_key="none")
    assert not way.seal_anew(home=firm.home, by=BY)
    rebuilt(firm)
    WayOut.objects.filter(home=firm.home).update(access_key="AKIAIOSFODNN7EXAMPLE")
    assert not way.seal_anew(home=firm.home, by=BY)
    assert WayOut.objects.get(home=firm.home).sealed == before
    assert fresh(row).state == "candidate"


def test_it_is_sealed_as_soon_as_the_new_agent_enrols(amazon: Place, firm: Domain, client: Client) -> None:
    key = amazon.key()
    paste(firm, key)
    answer(firm.home)
    server = Server.objects.get(pk=firm.home)
    Agent.objects.filter(server=server).delete()
    token = enrolment_token(server, 1)
    Server.objects.filter(pk=server.pk).update(enrolment_hash=sha256(token.encode()).hexdigest())
    seal_key, private = seal_pair()
    said = {"server": str(server.pk), "token": token, "key": "0" * 64, "seal_key": seal_key}
    assert client.post("/agent/v1/enrol", said, content_type="application/json").status_code == 200
    work()
    assert opened(firm, private) == smtp_password(key["secret"], REGION)


def test_a_worker_that_knew_the_key_before_it_was_taken_away_gives_it_to_nobody(
    amazon: Place, firm: Domain
) -> None:
    row = paste(firm, amazon.key())
    answer(firm.home)
    known, seal_key = fresh(row), Agent.objects.get(server=firm.home).seal_key
    actions.remove(home=firm.home, by=BY)

    with pytest.raises(Refusal):
        way.give(known, seal_key, firm, by=BY)
    assert not WayOut.objects.filter(home=firm.home).exists()
