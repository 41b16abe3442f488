"""What becomes of letters is told: deliveries, bounces at once and later, complaints, and what was suppressed."""

import json

import pytest

from sandbox.aws.reports import Reports
from sandbox.internet.outcome import Outcome
from tests.sandbox.aws.place import REGION, notes
from tests.sandbox.aws.test_notices import SET, agree, topic_for
from tests.sandbox.aws.test_sending import ANNA, TOM, Sender

ALL = ("BOUNCE", "COMPLAINT", "DELIVERY", "SEND")
ARF = (
    "From: fbl@outside.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain\r\n\r\nSpam\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n"
    "Feedback-Type: abuse\r\nVersion: 1\r\nOriginal-Rcpt-To: <tom@outside.test>\r\n\r\n--b--\r\n"
)
DSN = (
    "From: mailer@outside.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain\r\n\r\nNo\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
    "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; tom@outside.test\r\nAction: {action}\r\nStatus: {status}\r\n\r\n--b--\r\n"
)


@pytest.fixture
def sender(place, endpoint):
    """Anna's, whose letters' events come to the endpoint."""
    made = Sender(place)
    place.cloud.identities.delete(place.cloud.identities.get(made.told["account"], REGION, "firm.test"))
    agree(place, made.told, topic_for(place, made.told, endpoint, types=ALL), endpoint)
    made.verify("firm.test")
    return made


def letter(sender, *recipients):
    assert sender.send(*recipients).configuration_set == SET
    return sender.place.world.internet.queue.log(1)[0]["id"]


def heard(endpoint, count):
    return [json.loads(told["Message"]) for told in endpoint.wait(notes, count)]


def test_a_delivery_and_a_bounce_are_told_of_their_letter(place, sender, endpoint):
    number, reports = letter(sender, TOM, "nobody@outside.test"), Reports(place.cloud)
    lost = Outcome("nobody@outside.test", 550, "5.1.1 no such mailbox")
    reports.taken(number)
    reports.tell(number, [Outcome(TOM, 250, "OK"), lost], [lost])
    events = {event["eventType"]: event for event in heard(endpoint, 3)}
    assert set(events) == {"Send", "Delivery", "Bounce"}
    assert {event["mail"]["messageId"] for event in events.values()} == {number}
    assert events["Delivery"]["delivery"]["recipients"] == [TOM]
    (bounced,) = events["Bounce"]["bounce"]["bouncedRecipients"]
    assert (bounced["emailAddress"], bounced["diagnosticCode"]) == (
        "nobody@outside.test",
        "smtp; 550 5.1.1 no such mailbox",
    )
    named = {one["name"]: one["value"] for one in events["Bounce"]["mail"]["headers"]}
    assert named["From"] == ANNA
    assert reports.fated(number, [TOM, "nobody@outside.test"]) == [
        Outcome("nobody@outside.test", 550, "5.1.1 the address is on the suppression list of the account")
    ]


def test_what_may_still_arrive_is_not_told(place, sender, endpoint):
    number = letter(sender)
    Reports(place.cloud).tell(number, [Outcome(TOM, 451, "later")], [])
    Reports(place.cloud).tell(number, [Outcome(TOM, 451, "later")], [Outcome(TOM, 451, "later")])
    (event,) = heard(endpoint, 1)
    assert event["bounce"]["bounceType"] == "Transient"
    assert Reports(place.cloud).fated(number, [TOM]) == []


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (ARF, ("Complaint", "")),
        (DSN.format(action="failed", status="5.1.1"), ("Bounce", "Permanent")),
        (DSN.format(action="failed", status="4.2.2"), ("Bounce", "Transient")),
    ],
)
def test_what_another_server_reports_later_is_told(place, sender, endpoint, raw, told):
    Reports(place.cloud).incoming(letter(sender), raw.encode())
    (event,) = heard(endpoint, 1)
    assert (event["eventType"], event.get("bounce", {}).get("bounceType", "")) == told
    part = event.get("complaint", {}).get("complainedRecipients") or event["bounce"]["bouncedRecipients"]
    assert part[0]["emailAddress"] == TOM


@pytest.mark.parametrize(
    "raw", ["Subject: No room\r\n\r\nI am away\r\n", DSN.format(action="delayed", status="4.2.2"), ""]
)
def test_what_is_no_report_tells_nothing(place, sender, raw):
    before = len(place.get("messages")["messages"])
    Reports(place.cloud).incoming(letter(sender), raw.encode())
    Reports(place.cloud).incoming("01unknown", ARF.encode())
    assert len(place.get("messages")["messages"]) == before


def test_the_vendors_test_addresses_have_their_fates(place, sender, endpoint):
    names = ["success", "bounce", "complaint+a-label", "suppressionlist"]
    recipients = [f"{name}@simulator.amazonses.com" for name in names]
    number, reports = letter(sender, *recipients), Reports(place.cloud)
    fated = reports.fated(number, recipients)
    assert [one.code for one in fated] == [250, 550, 250, 550]
    reports.tell(number, fated, [one for one in fated if not one.ok])
    assert sorted(event["eventType"] for event in heard(endpoint, 5)) == [
        "Bounce",
        "Bounce",
        "Complaint",
        "Delivery",
        "Delivery",
    ]


def test_feedback_can_be_made_of_a_letter_that_was_sent(place, sender, endpoint):
    number = letter(sender)
    place.post("feedback", letter=number, kind="complaint")
    (event,) = heard(endpoint, 1)
    assert event["mail"]["messageId"] == number
    assert event["complaint"]["complainedRecipients"] == [{"emailAddress": TOM}]
