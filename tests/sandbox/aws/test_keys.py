"""Who asks is really checked: the signature is computed again, with the secret of the key that is named."""

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.sandbox.aws.place import REGION

BODY = "Action=GetCallerIdentity&Version=2011-06-15"
WORDS = {
    "sts": ("InvalidClientTokenId", "SignatureDoesNotMatch"),
    "sns": ("InvalidClientTokenId", "SignatureDoesNotMatch"),
    "sesv2": ("UnrecognizedClientException", "InvalidSignatureException"),
}
FIRST = {"sts": "get_caller_identity", "sesv2": "get_account"}


def ask(place, service, key):
    """The code of the refusal, or nothing."""
    client = place.boto(service, key)
    try:
        client.create_topic(Name="t") if service == "sns" else getattr(client, FIRST[service])()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


@pytest.mark.parametrize("service", WORDS)
def test_a_good_key_is_let_in_and_each_bad_one_is_told_why(place, key, service):
    unknown, wrong = WORDS[service]
    assert ask(place, service, key) == ""
    assert ask(place, service, {**key, "secret": key["secret"][::-1]}) == wrong
    assert ask(place, service, {**key, "access_key": "AKIA" + "A" * 16}) == unknown
    requests.put(f"{place.api}/api/keys/{key['access_key']}", json={"active": False}, timeout=9)
    assert ask(place, service, key) == unknown
    requests.put(f"{place.api}/api/keys/{key['access_key']}", json={"active": True}, timeout=9)
    assert ask(place, service, key) == ""
    requests.delete(f"{place.api}/api/keys/{key['access_key']}", timeout=9)
    assert ask(place, service, key) == unknown


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(400, "Signature expired"), (-400, "Signature not yet current"), (200, ""), (-200, "")],
)
@pytest.mark.parametrize("service", ["sts", "sesv2"])
def test_a_clock_may_be_five_minutes_wrong(place, key, service, seconds, says):
    place.post("clock", seconds=seconds)
    try:
        assert ask(place, service, key) == (WORDS[service][1] if says else "")
        if says:
            with pytest.raises(ClientError, match=says):
                getattr(place.boto(service, key), FIRST[service])()
    finally:
        place.post("clock", seconds=0)


def test_a_temporary_key_is_good_with_its_token_only(place):
    key = place.key(kind="temporary")
    assert key["access_key"].startswith("ASIA")
    assert ":assumed-role/" in place.boto("sts", key).get_caller_identity()["Arn"]
    for token in ("", "another"):
        assert ask(place, "sts", {**key, "token": token}) == "InvalidClientTokenId"


def test_who_a_key_is_stands_in_its_arn(place):
    user, root = place.key(user="anna"), place.key(kind="root")
    told = place.boto("sts", user).get_caller_identity()
    assert (told["Account"], told["Arn"]) == (user["account"], f"arn:aws:iam::{user['account']}:user/anna")
    assert place.boto("sts", root).get_caller_identity()["Arn"] == f"arn:aws:iam::{root['account']}:root"


def signed(place, key, method, path, body="", service="ses"):
    request = AWSRequest(method=method, url=f"{place.api}{path}", data=body)
    if body.startswith("Action"):
        request.headers["Content-Type"] = "application/x-www-form-urlencoded"
    SigV4Auth(Credentials(key["access_key"], key["secret"]), service, REGION).add_auth(request)
    return dict(request.headers)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v2/email/identities/other.test", ""),
        ("DELETE", "/v2/email/identities/firm.test", ""),
        ("GET", "/v2/email/identities/firm.test?x=1", ""),
        ("GET", "/v2/email/identities/firm.test", "{}"),
    ],
)
def test_a_signature_is_of_one_request(place, key, method, path, body):
    place.boto("sesv2", key).create_email_identity(EmailIdentity="firm.test")
    headers = signed(place, key, "GET", "/v2/email/identities/firm.test")
    good = requests.get(f"{place.api}/v2/email/identities/firm.test", headers=headers, timeout=9)
    assert good.status_code == 200, good.text
    bad = requests.request(method, f"{place.api}{path}", data=body, headers=headers, timeout=9)
    assert (bad.status_code, bad.headers["x-amzn-ErrorType"]) == (403, "InvalidSignatureException")


def test_a_signature_must_be_over_host_and_moment(place, key):
    headers = signed(place, key, "GET", "/v2/email/account")
    less = headers["Authorization"].replace("host;x-amz-date", "x-amz-date")
    bad = requests.get(f"{place.api}/v2/email/account", headers={**headers, "Authorization": less}, timeout=9)
    assert bad.headers["x-amzn-ErrorType"] == "InvalidSignatureException"


@pytest.mark.parametrize("authorization", ["", "Basic eDp5", "AWS4-HMAC-SHA256 Credential=x"])
def test_a_request_that_nobody_signed_is_refused(place, authorization):
    headers = {"Authorization": authorization} if authorization else {}
    by_path = requests.get(f"{place.api}/v2/email/account", headers=headers, timeout=9)
    assert (by_path.status_code, by_path.headers["x-amzn-ErrorType"]) == (
        403,
        "MissingAuthenticationTokenException",
    )
    by_form = requests.post(f"{place.api}/", data=BODY, headers=headers, timeout=9)
    assert by_form.status_code == 403
    assert "<Code>MissingAuthenticationToken</Code>" in by_form.text


def test_a_key_is_told_once(place, key):
    told = (
        requests.get(f"{place.api}/api/accounts", timeout=9).text
        + requests.get(f"{place.api}/", timeout=9).text
    )
    assert key["access_key"] in told
    assert key["secret"] not in told
