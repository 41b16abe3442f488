"""Mail of this internet, by real SMTP: people outside write and read, the sending service takes, refuses and delivers."""

from __future__ import annotations

import email
import json

import pytest

from sandbox.internet import ses_users

SUBMIT = """
import json, smtplib, ssl, sys
wish = json.loads(sys.argv[1])
try:
    with smtplib.SMTP(wish.get("server", "email-smtp.eu-west-1.amazonaws.com"), wish.get("port", 587), timeout=60) as client:
        if wish.get("tls", True): client.starttls(context=ssl.create_default_context())
        if wish["password"]: client.login(wish["user"], wish["password"])
        told = client.sendmail(wish["sender"], wish["to"], wish["raw"].encode())
        print("taken", told)
except smtplib.SMTPServerDisconnected:
    print("disconnected")
except smtplib.SMTPResponseException as problem:
    print(problem.smtp_code, problem.smtp_error.decode())
except smtplib.SMTPRecipientsRefused as problem:
    print(*(f"{code} {words.decode()}" for code, words in problem.recipients.values()))
"""
TO_OUTSIDE = """
import smtplib, sys
with smtplib.SMTP("mail.outside.test", 25, local_hostname="post.firm.test", timeout=60) as client:
    print(client.has_extn("starttls") or client.ehlo() and client.has_extn("starttls"))
    try: client.sendmail("anna@firm.test", [sys.argv[1]], "From: anna@firm.test\\r\\nSubject: direct\\r\\n\\r\\nHello\\r\\n")
    except smtplib.SMTPRecipientsRefused as problem: print(*problem.recipients.values())
    else: print("taken")
"""
LETTER = (
    "From: Anna <anna@firm.test>\r\nTo: Tom <tom@outside.test>\r\nSubject: {subject}\r\n{more}\r\nHello\r\n"
)


def test_the_password_follows_from_the_secret_as_the_vendor_computes_it():
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    assert ses_users.smtp_password(secret, "us-east-1") == "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9"
    assert ses_users.smtp_password(secret, "eu-west-1") != ses_users.smtp_password(secret, "us-east-1")


@pytest.fixture(scope="module")
def key(net):
    return net.post("ses/users", region="eu-west-1", domains=["firm.test"])


def submit(net, key, subject: str, **wish) -> str:
    """What the service said to the letter."""
    whole = {
        "user": key["access_key"], "password": key["smtp_password"], "sender": "anna@firm.test",
        "to": ["tom@outside.test"], "raw": LETTER.format(subject=subject, more=wish.pop("more", "")), **wish,
    }  # fmt: skip
    return net.python(SUBMIT, json.dumps(whole)).strip()


def letters(net, to: str, subject: str) -> list[dict]:
    return [one for one in net.get("received", to=to)["messages"] if one["subject"] == subject]


def states(net, subject: str) -> dict[str, str]:
    """What became of each recipient of the letter."""
    found = [one for one in net.get("ses/sent")["sent"] if one["subject"] == subject]
    return {one["recipient"]: one["state"] for letter in found for one in letter["recipients"]}


@pytest.mark.root
@pytest.mark.parametrize("port", [587, 2587])
def test_a_letter_goes_through_the_service_to_the_recipients_server(net, key, until, port):
    subject = f"through {port}"
    assert (
        submit(net, key, subject, port=port, more="Message-ID: <own@firm.test>\r\nBcc: eve@firm.test\r\n")
        == "taken {}"
    )
    (letter,) = until(lambda: letters(net, "tom@outside.test", subject))
    message = email.message_from_bytes(letter["raw"].encode("latin-1"))
    assert letter["sender"].endswith("@eu-west-1.amazonses.com")
    assert message["Message-ID"] == f"<{letter['sender']}>"  # the vendor replaces it, and the date
    assert message["Date"]
    assert message["Bcc"] is None
    assert "smtp-out.amazonses.com [10.77.254.3]) by mail.outside.test with ESMTPS" in message["Received"]
    assert letter["dkim"] == [{"domain": "amazonses.com", "selector": "sandbox", "valid": True}]
    until(lambda: states(net, subject) == {"tom@outside.test": "delivered"})


@pytest.mark.root
@pytest.mark.parametrize(
    ("wish", "answer"),
    [
        ({"password": "B" * 44}, "535 Authentication Credentials Invalid"),
        ({"server": "email-smtp.us-east-1.amazonaws.com"}, "535 Authentication Credentials Invalid"),
        ({"user": "AKIAAAAAAAAAAAAAAAAA"}, "535 Authentication Credentials Invalid"),
        ({"password": ""}, "530 5.7.0 Authentication required"),
        ({"password": "", "tls": False}, "530 Must issue a STARTTLS command first"),
        ({"sender": ""}, "501 Invalid MAIL FROM address provided"),
        ({"sender": "anna@charlie.test"}, "554 Message rejected: Email address is not verified."),
        ({"raw": LETTER.format(subject="x", more="").replace("anna@", "anna@not")}, "554 Message rejected"),
        ({"more": "Sender: bob@charlie.test\r\n"}, "554 Message rejected: Email address is not verified."),
        ({"more": "Return-Path: <bob@charlie.test>\r\n"}, "554 Message rejected: Email address is not verified."),
        ({"more": "Subject: again\r\n"}, "554 Transaction failed: Duplicate header 'Subject'."),
        ({"raw": "Subject: from nobody\r\n\r\nHello\r\n"}, "554 Transaction failed"),
        ({"to": [f"tom{n}@outside.test" for n in range(51)]}, "554 Transaction failed: Recipient count exceeds 50."),
    ],
)  # fmt: skip
def test_the_service_refuses_what_the_vendor_refuses(net, key, wish, answer):
    assert submit(net, key, "refused", **wish).startswith(answer)
    assert states(net, "refused") == {}


@pytest.mark.root
def test_a_subdomain_of_a_verified_domain_is_verified(net, key):
    assert submit(net, key, "from below", sender="anna@mail.firm.test") == "taken {}"


@pytest.mark.root
@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("throttle", "454 Throttling"),
        ("quota", "454 Throttling"),
        ("refuse", "554 "),
        ("no_login", "535 "),
        ("down", "disconnected"),
    ],
)
def test_faults_happen_as_often_as_was_asked(net, key, kind, answer):
    net.post(
        "ses/faults", kind=kind, times=2 if kind == "no_login" else 1
    )  # a client tries each way to sign in
    assert submit(net, key, f"after {kind}").startswith(answer)
    assert submit(net, key, f"after {kind}") == "taken {}"


@pytest.mark.root
def test_who_cannot_be_reached_is_told_to_the_sender_by_mail(net, key, until):
    net.post("names", name="firm.test", type="MX", value="10 mail.outside.test")
    submit(
        net,
        key,
        "to many",
        to=["nobody@outside.test", "later@outside.test", "x@nowhere.test", "tom@outside.test"],
    )
    bounces = until(lambda: letters(net, "anna@firm.test", "Delivery Status Notification (Failure)"))
    (report,) = [each for each in bounces if "nobody@outside.test" in each["text"]]
    assert report["sender"] == ""
    assert "550 5.1.1 There is no such mailbox" in report["text"]
    assert "x@nowhere.test: 550 the domain nowhere.test does not exist" in report["text"]
    kinds = [
        part.get_content_type() for part in email.message_from_bytes(report["raw"].encode("latin-1")).walk()
    ]
    assert kinds[0] == "multipart/report"
    assert "message/delivery-status" in kinds
    assert states(net, "to many") == {
        "later@outside.test": "waiting", "nobody@outside.test": "bounced",
        "tom@outside.test": "delivered", "x@nowhere.test": "bounced",
    }  # fmt: skip


@pytest.mark.root
def test_a_bounce_that_comes_later_reaches_the_sender(net, key, until):
    net.post("names", name="firm.test", type="MX", value="10 mail.outside.test")
    submit(net, key, "bounced later")
    (letter,) = until(lambda: letters(net, "tom@outside.test", "bounced later"))
    told = net.post(
        "send",
        **{"from": "postmaster@outside.test", "sender": "", "to": letter["sender"], "subject": "No room"},
    )
    assert told["ok"]
    assert until(lambda: letters(net, "anna@firm.test", "No room"))
    stranger = net.post(
        "send", **{"from": "eve@outside.test", "to": "01made-up@eu-west-1.amazonses.com", "subject": "x"}
    )
    assert stranger["results"][0]["code"] == 550


@pytest.mark.root
def test_a_letter_from_outside_is_signed_and_comes_from_where_it_says(net):
    net.post("names", name="friends.test", type="MX", value="10 mail.outside.test")
    told = net.post(
        "send", **{"from": "tom@outside.test", "to": "eve@friends.test", "subject": "Hi", "text": "Grüße"}
    )
    (result,) = told["results"]
    assert (told["ok"], result["code"], result["server"], result["tls"]) == (
        True,
        250,
        "mail.outside.test",
        "TLSv1.3",
    )
    (letter,) = letters(net, "eve@friends.test", "Hi")
    assert letter["text"].strip() == "Grüße"
    assert letter["dkim"] == [{"domain": "outside.test", "selector": "sandbox", "valid": True}]
    assert letter["raw"].startswith(
        "Return-Path: <tom@outside.test>\r\nReceived: from mail.outside.test (mail.outside.test [10.77.254.4])"
    )


@pytest.mark.root
def test_an_attacker_writes_from_elsewhere_and_is_seen_to(net):
    raw = "From: boss@firm.test\nTo: tom@outside.test\nSubject: Urgent\n\nPay\n"
    wish = {
        "from": "boss@firm.test",
        "to": "tom@outside.test",
        "raw": raw,
        "helo": "localhost",
        "address": ".5",
    }
    assert net.post("send", **wish)["ok"]
    (letter,) = letters(net, "tom@outside.test", "Urgent")
    assert "from localhost (attacker.sandbox.test [10.77.254.5])" in letter["raw"]
    assert letter["dkim"] == []


@pytest.mark.root
@pytest.mark.parametrize(
    ("to", "said"),
    [("anna@charlie.test", "does not exist"), ("a@nomail.test", "null MX"), ("a@silent.test", "silent.test")],
)
def test_a_letter_that_cannot_be_delivered_says_why(net, to, said):
    net.post("names", zone="nomail.test. MX 0 .\nsilent.test. A 10.77.254.9\n")
    told = net.post("send", **{"from": "tom@outside.test", "to": to})
    assert not told["ok"]
    assert said in told["results"][0]["said"]


@pytest.mark.root
def test_the_servers_of_a_domain_are_tried_in_their_order(net):
    net.post("names", zone="two.test. MX 5 laptop.sandbox.test.\ntwo.test. MX 10 mail.outside.test.\n")
    told = net.post("send", **{"from": "tom@outside.test", "to": "eve@two.test", "subject": "second"})
    assert (told["ok"], told["results"][0]["server"]) == (True, "mail.outside.test")


@pytest.mark.root
def test_people_outside_take_their_own_mail_and_no_others(net):
    assert net.python(TO_OUTSIDE, "tom@outside.test").split("\n")[:2] == ["True", "taken"]
    assert "550" in net.python(TO_OUTSIDE, "anna@charlie.test")
    assert "552" in net.python(TO_OUTSIDE, "full@outside.test")
    assert letters(net, "tom@outside.test", "direct")


@pytest.mark.root
def test_the_page_shows_what_was_sent(net, key):
    submit(net, key, "seen on the page")
    net.post("send", **{"from": "tom@outside.test", "to": "eve@friends.test", "subject": "also seen"})
    page = net.browser.get("/internet/").text
    assert "seen on the page" in page
    assert "also seen" in page
    assert key["smtp_password"] not in page


@pytest.mark.root
def test_a_letter_that_waits_survives_a_restart(net, key, until):
    submit(net, key, "patient", to=["later@outside.test"])
    until(lambda: states(net, "patient") == {"later@outside.test": "waiting"})
    net.restart()
    tries = net.get("ses/sent")["sent"][0]["recipients"][0]["tries"]
    until(lambda: net.get("ses/sent")["sent"][0]["recipients"][0]["tries"] > tries)
