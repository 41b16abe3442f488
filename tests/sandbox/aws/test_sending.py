"""What may be sent by SMTP: the same keys, policies, identities and states as at the API."""

import time

import pytest

from sandbox.aws.cloud import Cloud
from sandbox.aws.passwords import smtp_password
from sandbox.aws.sending import NO_QUOTA, PAUSED, TOO_FAST, Sending
from sandbox.internet import headers
from sandbox.internet.ses_users import Users
from sandbox.internet.store import Store
from tests.sandbox.aws.place import REGION, allow

ANNA, TOM = "anna@firm.test", "tom@outside.test"
FIRM = "arn:aws:ses:eu-central-1:{account}:identity/firm.test"


class Sender:
    """A key with a verified domain, and what becomes of its messages."""

    def __init__(self, place, state="production", **wish):
        self.place, self.told = place, place.key(**wish)
        place.choose(self.told, state)
        self.verify("firm.test")
        self.sending = Sending(place.cloud)
        self.key = self.sending.key(self.told["access_key"])

    def verify(self, name):
        self.place.post("identities", account=self.told["account"], region=REGION, name=name)

    def refusal(self, *recipients, sender=ANNA, more=""):
        self.message = headers.read(f"From: {sender}\r\nTo: x\r\n{more}\r\nHello\r\n".encode())
        return self.sending.refusal(self.key, REGION, [sender], list(recipients) or [TOM], self.message)

    def send(self, *recipients):
        """Takes the message without delivering it."""
        assert self.refusal(*recipients) == ""
        way = self.sending.way(self.key, REGION, ANNA, list(recipients) or [TOM], self.message)
        self.place.world.internet.queue.take(
            way, self.key.access_key, ANNA, list(recipients) or [TOM], self.message
        )
        return way


def test_the_password_of_a_key_is_good_in_one_region(place, key):
    sending, access, secret = Sending(place.cloud), key["access_key"], key["secret"]
    password = smtp_password(secret, REGION)
    assert password == key["smtp_passwords"][REGION]
    assert sending.authentic(access, password) == REGION
    assert sending.authentic(access, password, REGION) == REGION
    assert sending.authentic(access, password, "eu-west-1") == ""
    assert sending.authentic(access, secret, REGION) == ""
    assert sending.authentic("AKIA" + "A" * 16, password) == ""
    place.choose(key, "region_off")
    assert sending.authentic(access, password) == ""


def test_a_key_that_is_switched_off_signs_in_nowhere(place, key):
    sending, password = Sending(place.cloud), key["smtp_passwords"][REGION]
    place.cloud.iam.switch(key["access_key"], False)
    assert sending.authentic(key["access_key"], password) == ""
    assert sending.key(key["access_key"]) is None


def test_in_production_everybody_may_be_written_to(place):
    assert Sender(place).refusal() == ""


def test_nobody_speaks_for_what_is_not_verified(place):
    sender = Sender(place)
    refused = sender.refusal(sender="eve@else.test")
    assert refused.startswith("554 Message rejected: Email address is not verified.")
    assert refused.endswith("in region EU-CENTRAL-1: eve@else.test")
    assert sender.refusal(sender="anna@mail.firm.test") == ""


def test_in_the_sandbox_only_verified_recipients_get_anything(place):
    sender = Sender(place, state="sandbox")
    assert sender.refusal(TOM).endswith(f"in region EU-CENTRAL-1: {TOM}")
    assert sender.refusal("bob@firm.test") == ""
    assert sender.refusal("success@simulator.amazonses.com") == ""
    sender.verify(TOM)
    assert sender.refusal(TOM) == ""


def test_in_the_sandbox_a_recipient_must_be_allowed_like_a_sender(place):
    sender = Sender(place, state="sandbox")
    sender.verify(TOM)
    only = FIRM.format(account=sender.told["account"])
    place.cloud.iam.put_user(
        sender.told["account"], "mailat-sending", allow("ses:SendRawEmail", resource=only)
    )
    assert sender.refusal(TOM).startswith("554 Access denied")
    place.choose(sender.told, "production")
    assert sender.refusal(TOM) == ""


def test_a_day_in_the_sandbox_has_two_hundred_recipients_and_a_second_one(place, monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)  # all of it is in one second
    sender = Sender(place, state="sandbox")
    place.choose(sender.told, "sandbox", sent_before=199)
    sender.send("bob@firm.test")
    assert sender.refusal("bob@firm.test") == NO_QUOTA
    place.choose(sender.told, "sandbox", sent_before=0)
    assert sender.refusal("bob@firm.test") == TOO_FAST
    assert place.boto("sesv2", sender.told).get_account()["SendQuota"]["SentLast24Hours"] == 1


@pytest.mark.parametrize(
    ("state", "says"),
    [("paused", PAUSED), ("switched_off", PAUSED), ("throttled", TOO_FAST), ("under_review", "")],
)
def test_states_are_the_same_at_both_ways(place, state, says):
    assert Sender(place, state=state).refusal() == says


def test_a_user_sends_as_what_the_policy_names(place):
    sender = Sender(place, policy=allow("ses:GetAccount"))
    refused = sender.refusal()
    assert refused.startswith(
        f"554 Access denied: User `{sender.told['arn']}' is not authorized to perform `ses:SendRawEmail'"
    )
    assert refused.endswith(f"on resource `{FIRM.format(account=sender.told['account'])}'")


def test_a_configuration_set_must_be_there_and_be_allowed(place):
    sender = Sender(place)
    more = "X-SES-CONFIGURATION-SET: mailat\r\n"
    assert "Configuration set <mailat> does not exist" in sender.refusal(more=more)
    place.boto("sesv2", sender.told).create_configuration_set(ConfigurationSetName="mailat")
    assert sender.refusal(more=more) == ""
    only = FIRM.format(account=sender.told["account"])
    place.cloud.iam.put_user(
        sender.told["account"], "mailat-sending", allow("ses:SendRawEmail", resource=only)
    )
    assert "configuration-set/mailat" in sender.refusal(more=more)
    assert sender.refusal() == ""


def test_a_letter_goes_in_the_name_of_its_domain_where_the_records_stand(place):
    sender = Sender(place)
    ses = place.boto("sesv2", sender.told)
    tokens = ses.create_email_identity(EmailIdentity="own.test")["DkimAttributes"]["Tokens"]
    place.enter_dkim("own.test", tokens)
    ses.get_email_identity(EmailIdentity="own.test")
    ses.put_email_identity_mail_from_attributes(EmailIdentity="own.test", MailFromDomain="bounce.own.test")
    message = headers.read(b"From: anna@own.test\r\n\r\nHello\r\n")

    def way():
        return sender.sending.way(sender.key, REGION, "anna@own.test", [TOM], message)

    assert (way().returns_at, way().token) == (f"{REGION}.amazonses.com", tokens[0])
    place.enter("bounce.own.test", "MX", f"10 feedback-smtp.{REGION}.amazonses.com")
    place.enter("bounce.own.test", "TXT", "v=spf1 include:amazonses.com ~all")
    assert way().returns_at == "bounce.own.test"
    ses.put_email_identity_dkim_attributes(EmailIdentity="own.test", SigningEnabled=False)
    assert way().token == ""


def test_a_key_of_a_home_that_is_older_than_the_cloud_still_sends(tmp_path):
    """Its row is there, and nothing else of it."""
    store, secret = Store(tmp_path), "s" * 40
    with store.open() as db:
        row = ["AKIA" + "B" * 16, secret, REGION, '["old.test"]']
        db.execute("insert into ses_users (access_key, secret, region, domains) values (?, ?, ?, ?)", row)
    for _ in range(2):
        users = Users(store)
    cloud = Cloud(tmp_path, names_are_not_asked)
    sending = Sending(cloud)
    assert sending.authentic(row[0], smtp_password(secret, REGION)) == REGION
    message = headers.read(b"From: anna@old.test\r\n\r\nHello\r\n")
    assert sending.refusal(sending.key(row[0]), REGION, ["anna@old.test"], [TOM], message) == ""
    assert len(cloud.iam.accounts()) == 1
    assert [user.domains for user in users.all()] == [("old.test",)]


def names_are_not_asked():
    raise AssertionError("domains that were verified by hand are not looked up")
