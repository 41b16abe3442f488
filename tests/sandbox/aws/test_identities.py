"""Identities are verified by what really stands in the DNS of the sandbox."""

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.place import REGION


@pytest.fixture
def ses(place, key):
    return place.boto("sesv2", key)


def made(ses, name):
    return ses.create_email_identity(EmailIdentity=name)["DkimAttributes"]


def status(ses, name):
    told = ses.get_email_identity(EmailIdentity=name)
    assert told["VerifiedForSendingStatus"] == (
        told["VerificationStatus"] in ("SUCCESS", "TEMPORARY_FAILURE")
    )
    return told["VerificationStatus"], told.get("VerificationInfo", {}).get("ErrorType")


def test_a_domain_is_verified_by_its_three_aliases(place, ses):
    dkim = made(ses, "one.test")
    assert (dkim["Status"], len(set(dkim["Tokens"])), dkim["SigningHostedZone"]) == (
        "PENDING",
        3,
        "dkim.amazonses.com",
    )
    assert status(ses, "one.test") == ("PENDING", "HOST_NOT_FOUND")
    place.enter_dkim("one.test", dkim["Tokens"][:2])
    assert status(ses, "one.test") == ("PENDING", "HOST_NOT_FOUND")
    place.enter_dkim("one.test", dkim["Tokens"])
    assert status(ses, "one.test") == ("SUCCESS", None)
    place.forget(f"{dkim['Tokens'][0]}._domainkey.one.test")
    assert status(ses, "one.test") == ("TEMPORARY_FAILURE", "HOST_NOT_FOUND")


def test_a_wrong_alias_and_another_kind_of_record_are_told_apart(place, ses):
    token = made(ses, "two.test")["Tokens"][0]
    place.enter(f"{token}._domainkey.two.test", "TXT", "something")
    assert status(ses, "two.test") == ("PENDING", "TYPE_NOT_FOUND")
    place.forget(f"{token}._domainkey.two.test")
    place.enter(f"{token}._domainkey.two.test", "CNAME", "elsewhere.test.")
    assert status(ses, "two.test") == ("PENDING", "INVALID_VALUE")


def test_after_three_days_the_search_ends_and_can_be_begun_anew(place, key, ses):
    made(ses, "slow.test")
    place.post("identities/age", account=key["account"], region=REGION, name="slow.test", hours=73)
    assert status(ses, "slow.test") == ("FAILED", "HOST_NOT_FOUND")
    ses.put_email_identity_dkim_signing_attributes(
        EmailIdentity="slow.test",
        SigningAttributesOrigin="AWS_SES",
        SigningAttributes={"NextSigningKeyLength": "RSA_2048_BIT"},
    )
    assert status(ses, "slow.test")[0] == "PENDING"


def test_newer_regions_have_a_zone_of_their_own(place, key):
    place.choose(key, "sandbox", "eu-central-2")
    ses = place.boto("sesv2", key, "eu-central-2")
    dkim = made(ses, "swiss.test")
    assert dkim["SigningHostedZone"] == "eu-central-2.dkim.amazonses.com"
    place.enter_dkim("swiss.test", dkim["Tokens"])
    assert status(ses, "swiss.test") == ("PENDING", "INVALID_VALUE")
    for token in dkim["Tokens"]:
        place.forget(f"{token}._domainkey.swiss.test")
    place.enter_dkim("swiss.test", dkim["Tokens"], dkim["SigningHostedZone"])
    assert status(ses, "swiss.test") == ("SUCCESS", None)


def test_the_keys_of_an_alias_can_be_looked_up(place, ses):
    names = place.world.internet.names
    token = made(ses, "keys.test")["Tokens"][0]
    place.enter_dkim("keys.test", [token])
    found = names.lookup(f"{token}._domainkey.keys.test", "TXT").values("TXT")
    assert found
    assert "v=DKIM1" in found[0]


def test_a_mail_from_domain_needs_one_mx_and_the_services_name(place, ses):
    made(ses, "three.test")
    with pytest.raises(ClientError, match="not subdomain"):
        ses.put_email_identity_mail_from_attributes(
            EmailIdentity="three.test", MailFromDomain="bounce.else.test"
        )
    ses.put_email_identity_mail_from_attributes(
        EmailIdentity="three.test", MailFromDomain="bounce.three.test"
    )

    def told():
        return ses.get_email_identity(EmailIdentity="three.test")["MailFromAttributes"][
            "MailFromDomainStatus"
        ]

    assert told() == "PENDING"
    place.enter("bounce.three.test", "MX", f"10 feedback-smtp.{REGION}.amazonses.com")
    assert told() == "PENDING"
    place.enter("bounce.three.test", "TXT", "v=spf1 include:amazonses.com ~all")
    assert told() == "SUCCESS"
    place.enter("bounce.three.test", "MX", "20 mail.three.test")
    assert told() == "PENDING"
    ses.put_email_identity_mail_from_attributes(EmailIdentity="three.test", MailFromDomain="")
    assert "MailFromAttributes" not in ses.get_email_identity(EmailIdentity="three.test")


def test_an_address_is_verified_by_its_domain_or_by_a_click(place, key, ses):
    dkim = made(ses, "four.test")
    for address in ("anna@four.test", "alice@elsewhere.test"):
        ses.create_email_identity(EmailIdentity=address)
        assert status(ses, address)[0] == "PENDING"
    place.enter_dkim("four.test", dkim["Tokens"])
    assert status(ses, "anna@four.test")[0] == "SUCCESS"
    place.post("identities", account=key["account"], region=REGION, name="alice@elsewhere.test")
    assert status(ses, "alice@elsewhere.test")[0] == "SUCCESS"


@pytest.mark.parametrize("name", ["firm", "a@b@c.test", "two words.test", "a..test"])
def test_what_is_no_name_is_no_identity(ses, name):
    with pytest.raises(ClientError) as caught:
        ses.create_email_identity(EmailIdentity=name)
    assert caught.value.response["Error"]["Code"] == "BadRequestException"


def test_identities_are_of_one_account_and_one_region(place, key, ses):
    made(ses, "mine.test")
    for other in (place.boto("sesv2", place.key()), place.boto("sesv2", key, "eu-west-1")):
        with pytest.raises(ClientError, match="does not exist"):
            other.get_email_identity(EmailIdentity="mine.test")
