"""One cloud for both ways: what was set up at the API is what the SMTP endpoint goes by, in the hosts' network."""

import email
import json
import pathlib
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from sandbox.hosts.debian import possible
from tests.sandbox.aws.place import REGION, Endpoint, Place, notes
from tests.sandbox.aws.test_notices import agree, topic_for
from tests.sandbox.internet.conftest import Net
from tests.sandbox.internet.test_mail import submit

pytestmark = pytest.mark.root


@pytest.fixture
def until():
    def wait(true):
        pause = threading.Event()
        for _ in range(6000):
            if found := true():
                return found
            pause.wait(0.04)
        raise AssertionError("it never became true")

    return wait


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """The network of hosts, and the API over the same home."""
    home: pathlib.Path = tmp_path_factory.mktemp("home")
    if obstacle := possible.why_not(home):
        pytest.skip(f"skipped: needs root on Linux ({obstacle})")
    net = Net(home)
    place = Place(home, net.world)
    yield SimpleNamespace(net=net, place=place)
    place.leave()
    net.close()


@pytest.fixture(scope="module")
def key(whole):
    """Alice's: firm.test with all its records, feedback to an endpoint."""
    place, made = whole.place, whole.place.key()
    place.choose(made, "production", rate=1000)
    made["endpoint"] = Endpoint()
    agree(
        place,
        made,
        topic_for(place, made, made["endpoint"], types=("BOUNCE", "COMPLAINT", "DELIVERY")),
        made["endpoint"],
    )
    ses = place.boto("sesv2", made)
    place.enter_dkim(
        "firm.test", ses.get_email_identity(EmailIdentity="firm.test")["DkimAttributes"]["Tokens"]
    )
    ses.put_email_identity_mail_from_attributes(EmailIdentity="firm.test", MailFromDomain="bounce.firm.test")
    place.enter("bounce.firm.test", "MX", f"10 feedback-smtp.{REGION}.amazonses.com")
    place.enter("bounce.firm.test", "TXT", "v=spf1 include:amazonses.com ~all")
    told = ses.get_email_identity(EmailIdentity="firm.test")
    assert told["VerifiedForSendingStatus"]
    assert told["MailFromAttributes"]["MailFromDomainStatus"] == "SUCCESS"
    yield {**made, "smtp_password": made["smtp_passwords"][REGION]}
    made["endpoint"].close()


def send(whole, key, subject, **wish):
    return submit(whole.net, key, subject, server=f"email-smtp.{REGION}.amazonaws.com", **wish)


def received(whole, to, subject):
    return [one for one in whole.net.get("received", to=to)["messages"] if one["subject"] == subject]


def of_kind(kind):
    return lambda told: notes(told) and json.loads(told["Message"])["eventType"] == kind


def test_a_letter_goes_out_signed_by_its_own_domain_and_comes_back_to_it(whole, key, until):
    assert send(whole, key, "signed", more="X-SES-CONFIGURATION-SET: mailat\r\n") == "taken {}"
    (letter,) = until(lambda: received(whole, "tom@outside.test", "signed"))
    assert letter["sender"].endswith("@bounce.firm.test")
    assert {(one["domain"], one["valid"]) for one in letter["dkim"]} == {
        ("firm.test", True),
        ("amazonses.com", True),
    }
    assert email.message_from_string(letter["raw"])["X-SES-CONFIGURATION-SET"] is None
    (told,) = key["endpoint"].wait(of_kind("Delivery"))
    assert json.loads(told["Message"])["delivery"]["recipients"] == ["tom@outside.test"]


def test_a_bounce_is_told_suppresses_and_is_not_tried_again(whole, key, until):
    ses = whole.place.boto("sesv2", key)
    assert send(whole, key, "lost", to=["nobody@outside.test"]) == "taken {}"
    (told,) = key["endpoint"].wait(of_kind("Bounce"))
    (lost,) = json.loads(told["Message"])["bounce"]["bouncedRecipients"]
    assert lost["diagnosticCode"] == "smtp; 550 5.1.1 There is no such mailbox"
    assert [
        one["EmailAddress"] for one in ses.list_suppressed_destinations()["SuppressedDestinationSummaries"]
    ] == ["nobody@outside.test"]
    assert send(whole, key, "lost again", to=["nobody@outside.test"]) == "taken {}"
    second = key["endpoint"].wait(of_kind("Bounce"), count=2)[1]
    assert json.loads(second["Message"])["bounce"]["bounceSubType"] == "OnAccountSuppressionList"


def test_a_complaint_of_another_server_is_told(whole, key, until):
    send(whole, key, "disliked")
    (letter,) = until(lambda: received(whole, "tom@outside.test", "disliked"))
    arf = (
        "From: fbl@outside.test\nTo: x\nSubject: complaint\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: text/plain\n\nSpam\n"
        "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\nOriginal-Rcpt-To: tom@outside.test\n\n--b--\n"
    )
    wish = {"from": "fbl@outside.test", "sender": "", "to": letter["sender"], "raw": arf}
    assert whole.net.post("send", **wish)["ok"]
    (told,) = key["endpoint"].wait(of_kind("Complaint"))
    event = json.loads(told["Message"])
    assert event["complaint"]["complainedRecipients"] == [{"emailAddress": "tom@outside.test"}]
    assert event["mail"]["source"] == "anna@firm.test"


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        ("paused", "554 Message rejected: Sending paused"),
        ("sandbox", "554 Message rejected: Email address is not verified."),
        ("throttled", "454 Throttling failure: Maximum sending rate exceeded."),
        ("region_off", "535 Authentication Credentials Invalid"),
    ],
)
def test_the_states_of_the_account_are_those_of_its_mail(whole, key, state, answer):
    whole.place.choose(key, state)
    try:
        assert send(whole, key, state, to=["eve@outside.test"]).startswith(answer)
    finally:
        whole.place.choose(key, "production")
    assert send(whole, key, f"after {state}", to=["eve@outside.test"]) == "taken {}"


def test_a_key_that_was_deleted_signs_in_no_more(whole, key):
    other = whole.place.key(account=key["account"], user="second")
    password = other["smtp_passwords"][REGION]
    assert send(whole, {**other, "smtp_password": password}, "second") == "taken {}"
    whole.place.cloud.iam.remove(other["access_key"])
    assert send(whole, {**other, "smtp_password": password}, "second").startswith("535")
