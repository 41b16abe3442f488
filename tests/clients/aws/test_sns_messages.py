"""Messages that say they are SNS's: true ones pass, and forged, replayed, malformed and old ones are refused with a reason."""

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from clients import sns_messages
from clients.errors import TryLater
from clients.sns_messages import NotFromSns, signed_text, verify
from tests.clients.aws.sns_forge import NOW, STAMP, TOPIC, Forge, canonical, certificate


@pytest.fixture(scope="module")
def forge():
    made = Forge()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _nothing_kept():
    sns_messages._certificates.forget()


def refusal(forge, body, **more):
    with pytest.raises(NotFromSns) as caught:
        verify(body, **{"base": forge.base, "now": NOW, **more})
    return caught.value.code


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_notification_with_a_signature_of_each_version_passes(forge, version):
    told = forge.told(SignatureVersion=version)
    notice = verify(forge.sign(told), base=forge.base, now=NOW)
    assert (notice.id, notice.kind, notice.topic, notice.text) == (
        told["MessageId"],
        "Notification",
        TOPIC,
        told["Message"],
    )
    assert (notice.account, notice.at, notice.subject, notice.token) == (
        "123456789012",
        NOW,
        told["Subject"],
        "",
    )


@pytest.mark.parametrize("subject", [None, ""])
def test_a_notification_without_a_subject_passes(forge, subject):
    told = forge.told()
    told.pop("Subject")
    body = forge.sign(told)
    if subject is None:
        body = json.dumps({**json.loads(body), "Subject": None}).encode()
    assert verify(body, base=forge.base, now=NOW).subject == ""


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_a_question_passes_with_its_token(forge, kind):
    notice = verify(forge.sign({**forge.question(), "Type": kind}), base=forge.base, now=NOW)
    assert (notice.kind, notice.token) == (kind, "23")


def test_what_is_signed_is_written_as_on_the_vendors_page():
    """The shape of the page's own two examples: names in the order of the alphabet, a line for each name and value."""
    note = {
        "Message": "My Test Message", "MessageId": "4d4dc071-ddbf-465d-bba8-08f81c89da64", "Subject": "My subject",
        "Timestamp": "2019-01-31T04:37:04.321Z", "TopicArn": "arn:aws:sns:us-east-2:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P",
        "Type": "Notification",
    }  # fmt: skip
    lines = [line for pair in note.items() for line in pair]
    assert signed_text(note).decode() == "\n".join(lines) + "\n"
    without = {name: value for name, value in note.items() if name != "Subject"}
    assert (
        signed_text(without).decode() == "\n".join(line for pair in without.items() for line in pair) + "\n"
    )
    asked = {
        "Message": "You have chosen", "MessageId": "3d891288-136d-417f-bc05-901c108273ee", "SubscribeURL": "https://x/",
        "Timestamp": "2019-01-31T19:25:13.719Z", "Token": "233", "TopicArn": note["TopicArn"], "Type": "SubscriptionConfirmation",
    }  # fmt: skip
    assert (
        signed_text(asked).decode()
        == "\n".join(line for pair in asked.items() for line in pair) + "\n"
        == canonical(asked)
    )


CHANGED = {
    "Message": '{"eventType": "Complaint"}', "MessageId": "00000000-0000-0000-0000-000000000000", "Subject": "Another",
    "Timestamp": "2026-11-21T11:59:59.000Z", "TopicArn": TOPIC.replace("mailat", "other"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), CHANGED.items())
@pytest.mark.parametrize("version", ["1", "2"])
def test_a_message_of_which_one_field_was_changed_is_forged(forge, name, value, version):
    body = json.loads(forge.sign(forge.told(SignatureVersion=version)))
    assert refusal(forge, json.dumps({**body, name: value}).encode()) == "forged"


@pytest.mark.parametrize("name", ["Token", "SubscribeURL"])
def test_a_question_of_which_one_field_was_changed_is_forged(forge, name):
    body = json.loads(forge.sign(forge.question()))
    assert refusal(forge, json.dumps({**body, name: body[name] + "x"}).encode()) == "forged"


def test_a_notification_is_not_made_a_question(forge):
    body = json.loads(forge.sign(forge.told()))
    more = {"Type": "SubscriptionConfirmation", "Token": "1", "SubscribeURL": "https://x/"}
    assert refusal(forge, json.dumps({**body, **more}).encode()) == "forged"


@pytest.mark.parametrize("pair", [("1", "2"), ("2", "1")])
def test_a_signature_of_one_version_is_none_of_the_other(forge, pair):
    body = json.loads(forge.sign(forge.told(SignatureVersion=pair[0])))
    assert refusal(forge, json.dumps({**body, "SignatureVersion": pair[1]}).encode()) == "forged"


def test_another_key_signs_in_vain(forge):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert refusal(forge, forge.sign(forge.told(), key=other)) == "forged"


def test_what_was_signed_cannot_be_cut_anew_to_get_another_id(forge):
    """Id and subject as one field give the same text; a replay would not be known by its id."""
    told = forge.told()
    again = {**told, "MessageId": f"{told['MessageId']}\nSubject\n{told['Subject']}"}
    again.pop("Subject")
    assert canonical(again) == canonical(told)
    body = json.loads(forge.sign(told))
    body.pop("Subject")
    assert refusal(forge, json.dumps({**body, "MessageId": again["MessageId"]}).encode()) == "malformed"


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (NOW + timedelta(minutes=61), "old"),
        (NOW + timedelta(days=400), "old"),
        (NOW - timedelta(minutes=6), "old"),
        (NOW + timedelta(minutes=59), ""),
        (NOW - timedelta(minutes=4), ""),
    ],
)
def test_a_message_is_good_for_an_hour(forge, now, code):
    body = forge.sign(forge.told())
    if code:
        assert refusal(forge, body, now=now) == code
    else:
        assert verify(body, base=forge.base, now=now)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"Type": []}', b'{"Type": "Other"}', b"\xff\xfe", b"[" * 100_000,
        b"x" * (sns_messages.MOST_BYTES + 1),
    ],
)  # fmt: skip
def test_what_has_no_form_is_malformed(forge, body):
    assert refusal(forge, body) == "malformed"


@pytest.mark.parametrize(
    "name",
    ["Message", "MessageId", "Timestamp", "TopicArn", "Signature", "SignatureVersion", "SigningCertURL"],
)
@pytest.mark.parametrize("value", [None, "", 7, ["x"], {"x": 1}])
def test_a_field_that_is_missing_or_no_text_is_malformed(forge, name, value):
    body = json.loads(forge.sign(forge.told()))
    assert refusal(forge, json.dumps({**body, name: value}).encode()) == "malformed"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SignatureVersion", "3"), ("Signature", "§"), ("Timestamp", "yesterday"), ("Timestamp", STAMP[:-1]), ("MessageId", "x"),
        ("TopicArn", "arn:aws:sns:eu-central-1:12:t"), ("TopicArn", TOPIC.replace("sns", "sqs")), ("TopicArn", f"{TOPIC}\n"),
        ("Subject", "two\nlines"),
    ],
)  # fmt: skip
def test_a_field_that_is_not_what_it_says_is_malformed(forge, name, value):
    body = json.loads(forge.sign(forge.told()))
    assert refusal(forge, json.dumps({**body, name: value}).encode()) == "malformed"


FILE = f"SimpleNotificationService-{'0' * 32}.pem"


@pytest.mark.parametrize(
    "url",
    [
        f"http://sns.eu-central-1.amazonaws.com/{FILE}",
        f"https://sns.eu-west-1.amazonaws.com/{FILE}",
        f"https://sns.eu-central-1.amazonaws.com.evil.test/{FILE}",
        f"https://sns.eu-central-1.amazonaws.com@evil.test/{FILE}",
        f"https://evil.test/sns.eu-central-1.amazonaws.com/{FILE}",
        f"https://evil.test#https://sns.eu-central-1.amazonaws.com/{FILE}",
        f"https://sns.eu-central-1.amazonaws.com:8443/{FILE}",
        f"https://sns.eu-central-1.amazonaws.com/bucket/{FILE}",
        f"https://sns.eu-central-1.amazonaws.com/../{FILE}",
        "https://sns.eu-central-1.amazonaws.com/x.pem",
        f"https://sns.eu-central-1.amazonaws.com/{FILE}?x=.pem",
        f"https://sns.eu-central-1.amazonaws.com/{FILE}\n",
        f"https://s3.eu-central-1.amazonaws.com/{FILE}",
        f"https://SNS.eu-central-1.amazonaws.com/{FILE}",
        f"file:///{FILE}",
    ],
)
def test_no_certificate_is_fetched_from_elsewhere(forge, url, monkeypatch):
    def never(place):
        raise AssertionError(f"fetched {place}")

    monkeypatch.setattr(sns_messages, "_download", never)
    assert refusal(forge, forge.sign(forge.told(SigningCertURL=url)), base="") in ("certificate", "malformed")
    assert refusal(forge, forge.sign(forge.told(SigningCertURL=url))) in ("certificate", "malformed")


def test_without_a_stand_in_amazons_own_place_is_asked_and_no_stand_ins(forge, monkeypatch):
    asked = []

    def pem(url):
        asked.append(url)
        return certificate(forge.key)

    monkeypatch.setattr(sns_messages, "_download", pem)
    own = f"https://sns.eu-central-1.amazonaws.com/{FILE}"
    assert verify(forge.sign(forge.told(SigningCertURL=own)), now=NOW).topic == TOPIC
    assert asked == [own]
    assert refusal(forge, forge.sign(forge.told()), base="") == "certificate"


def test_a_certificate_is_fetched_once(forge):
    before = len(forge.asked)
    for _ in range(3):
        verify(forge.sign(forge.told()), base=forge.base, now=NOW)
    assert len(forge.asked) == before + 1


def test_a_certificate_that_is_kept_still_ends(forge):
    url = forge.serve(certificate(forge.key, days=1))
    verify(forge.sign(forge.told(SigningCertURL=url)), base=forge.base, now=NOW)
    late = {"SigningCertURL": url, "Timestamp": "2026-11-23T12:00:00.000Z"}
    assert refusal(forge, forge.sign(forge.told(**late)), now=NOW + timedelta(days=2)) == "certificate"


def test_a_region_that_had_to_be_enabled_signs_by_its_own_name_and_no_others(forge):
    own = forge.serve(certificate(forge.key, name="sns-signing.eu-central-1.amazonaws.com"))
    assert verify(forge.sign(forge.told(SigningCertURL=own)), base=forge.base, now=NOW)
    other = forge.serve(certificate(forge.key, name="sns-signing.eu-south-1.amazonaws.com"))
    assert refusal(forge, forge.sign(forge.told(SigningCertURL=other))) == "certificate"


def bad_certificates(forge):
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that is what is refused
    curve = ec.generate_private_key(ec.SECP256R1())
    return [
        (forge.serve(certificate(forge.key, name="evil.test")), forge.key),
        (forge.serve(certificate(forge.key, begins=NOW + timedelta(days=9))), forge.key),
        (forge.serve(certificate(forge.key, begins=NOW - timedelta(days=900))), forge.key),
        (forge.serve(certificate(small)), small),
        (forge.serve(certificate(curve)), curve),
        (forge.serve(b"no certificate"), forge.key),
        (forge.serve(b"x" * 100_000), forge.key),
        (forge.serve(b"", status=404), forge.key),
        (forge.serve(forge.url.encode(), status=302), forge.key),
    ]


def test_a_certificate_that_is_not_sns_own_proves_nothing(forge):
    found = [
        refusal(forge, forge.sign(forge.told(SigningCertURL=url), key=key))
        for url, key in bad_certificates(forge)
    ]
    assert found == ["certificate"] * 9


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_certificate_that_cannot_be_had_just_now_is_no_forgery(forge, status):
    url = forge.serve(b"", status=status)
    with pytest.raises(TryLater):
        verify(forge.sign(forge.told(SigningCertURL=url)), base=forge.base, now=NOW)


def test_where_nobody_answers_it_is_tried_again_later(forge):
    url = f"http://127.0.0.1:1/{FILE}"
    with pytest.raises(TryLater):
        verify(forge.sign(forge.told(SigningCertURL=url)), base="http://127.0.0.1:1", now=NOW)


def test_the_same_message_has_the_same_id_so_that_a_replay_is_known(forge):
    body = forge.sign(forge.told())
    first, second = (verify(body, base=forge.base, now=NOW) for _ in range(2))
    assert first == second
