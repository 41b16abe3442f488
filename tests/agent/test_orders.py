"""Only what a worker signed, for this server, newer than what is applied, is an order."""

import base64
import json
import string

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from agent.mailat_agent.orders import MAX_BODY, MAX_VERSION, Order, Refusal, verify
from tests.agent.orders import Signer, body, mail

SERVER = "0d6a1b0e-6c0f-4f6e-9d0b-2f7a40a3a111"
OTHER = "0d6a1b0e-6c0f-4f6e-9d0b-2f7a40a3a112"
SIGNER = Signer("a", Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))
NEXT = Signer("b", Ed25519PrivateKey.from_private_bytes(b"\x02" * 32))
KEYS = {signer.name: signer.key.public_key() for signer in (SIGNER, NEXT)}
ORDER = SIGNER.order(SERVER, 7)
BODY, SIGNATURE = str(ORDER["body"]), str(ORDER["signature"])

ALPHABET = string.ascii_letters + string.digits + "+/"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def check(desired: object, applied: int = 0) -> Order:
    return verify(desired, KEYS, SERVER, applied)


def why(desired: object, applied: int = 0) -> tuple[int, str]:
    with pytest.raises(Refusal) as refused:
        check(desired, applied)
    return refused.value.version, refused.value.why


def test_a_signed_order_is_read_as_it_was_written() -> None:
    assert check(ORDER, applied=6) == Order(
        version=7,
        issued="2026-11-21T12:00:00Z",
        hostname="alice.mailat.test",
        services=("ssh.service", "postfix.service"),
        poll_max=60.0,
        mail=None,
        body=BODY,
    )


def test_any_of_the_configured_keys_may_sign() -> None:
    assert check(NEXT.order(SERVER, 7)).version == 7


def test_a_key_signs_under_its_own_name_only() -> None:
    assert why({**ORDER, "key": NEXT.name}) == (7, "bad signature")


def test_fields_of_later_versions_are_left_alone() -> None:
    assert check(SIGNER.order(SERVER, 7, backups={"every": 3600})).version == 7


@pytest.mark.parametrize("issued", ["1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "yesterday"])
def test_no_clock_has_a_say(issued: str) -> None:
    assert check(SIGNER.order(SERVER, 7, issued=issued)).issued == issued


@given(st.integers(0, len(BODY.encode()) - 1), st.integers(1, 255))
def test_no_byte_of_the_body_can_be_another(place: int, flip: int) -> None:
    raw = bytearray(BODY.encode())
    raw[place] ^= flip

    assert why({**ORDER, "body": raw.decode("utf-8", "surrogateescape")})[1] == "bad signature"


@given(st.integers(0, 63), st.integers(1, 255))
def test_no_byte_of_the_signature_can_be_another(place: int, flip: int) -> None:
    raw = bytearray(base64.b64decode(SIGNATURE))
    raw[place] ^= flip

    assert why({**ORDER, "signature": base64.b64encode(raw).decode()}) == (7, "bad signature")


@pytest.mark.parametrize("place", range(len(SIGNATURE)))
def test_no_character_of_the_signature_can_be_another(place: int) -> None:
    for other in {*ALPHABET, *"=-_ \n\0é"} - {SIGNATURE[place]}:
        spelt = SIGNATURE[:place] + other + SIGNATURE[place + 1 :]
        assert why({**ORDER, "signature": spelt}) == (7, "bad signature")


@pytest.mark.parametrize(
    "spelt", [SIGNATURE + "\n", SIGNATURE.rstrip("="), " " + SIGNATURE, SIGNATURE + "====", ""]
)
def test_a_signature_has_one_spelling(spelt: str) -> None:
    assert why({**ORDER, "signature": spelt}) == (7, "bad signature")


@given(st.text(max_size=200), st.binary(max_size=80))
def test_nothing_is_an_order_without_a_signature(text: str, signature: bytes) -> None:
    forged = {"body": text, "key": "a", "signature": base64.b64encode(signature).decode()}

    assert why(forged)[1] == "bad signature"


def test_a_signature_made_for_something_else_is_none() -> None:
    for context in (b"", b"mailat-desired-v2\n", b"mailat-receipt-v1\n"):
        assert why(SIGNER.sign(BODY, context)) == (7, "bad signature")


@given(JSON)
def test_whatever_else_stands_in_an_answer_is_refused(desired: object) -> None:
    assert why(desired)[1] == "malformed order"


@given(st.fixed_dictionaries({}, optional={"body": JSON, "key": JSON, "signature": JSON}))
def test_fields_of_any_kind_are_refused(desired: object) -> None:
    assert why(desired)[1] in ("malformed order", "unknown key", "bad signature")


# One that has a version is another matter, and Hypothesis takes words from the program that it tests.
@given((st.text(max_size=300) | JSON.map(json.dumps)).filter(lambda text: '"version"' not in text))
def test_a_signed_body_that_is_no_order_is_refused(text: str) -> None:
    try:
        signed = SIGNER.sign(text)
    except UnicodeEncodeError:
        return  # no UTF-8, so nobody can have signed it
    assert why(signed) == (0, "malformed body")


def test_an_order_that_is_too_long_is_not_even_looked_at() -> None:
    long = SIGNER.order(SERVER, 8, services=["a" * 250] * 64, note="x" * MAX_BODY)

    assert why(long) == (0, "order too long")


@given(st.integers(1, MAX_VERSION), st.integers(0, MAX_VERSION))
def test_versions_only_ever_grow(version: int, applied: int) -> None:
    order = SIGNER.order(SERVER, version)

    if version > applied:
        assert check(order, applied).version == version
    else:
        assert why(order, applied) == (version, "not newer than what is applied")


@pytest.mark.parametrize("version", [0, -1, 1.5, "8", True, MAX_VERSION + 1, [8], None])
def test_a_version_is_a_number_that_can_be_counted(version: object) -> None:
    assert why(SIGNER.sign(body(SERVER, version))) == (0, "malformed body")


@pytest.mark.parametrize("server", [OTHER, SERVER.upper(), "", 5, None])
def test_an_order_is_for_one_server(server: object) -> None:
    assert why(SIGNER.sign(body(server, 8))) == (8, "for another server")


LONG = ".".join(["a" * 63] * 4)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (
            "hostname",
            ["", "mail", "-a.b", "a-.b", "a..b", "A.b", "a.b.", "a b.c", "a.b\n", "ä.b", LONG, 5, ["a.b"]],
        ),
        (
            "services",
            ["ssh.service", {"a": 1}, [5], [""], ["-H"], ["--all"], ["a b"], ["*"], ["a\n"], ["a"] * 65],
        ),
        ("poll_max", [0, 0.5, 301, -1, "60", True, [60], float("nan"), float("inf")]),
        ("issued", [5, ["2026"], {}]),
    ],
)
def test_every_field_is_looked_at(field: str, values: list[object]) -> None:
    for value in (*values, None):
        assert why(SIGNER.order(SERVER, 8, **{field: value})) == (8, f"malformed {field}")


def test_units_of_all_kinds_may_be_watched_and_each_once() -> None:
    names = ["a.service", "getty@tty1.service", r"dev-disk-by\x2duuid.swap", "a.timer", "a.service"]

    assert check(SIGNER.order(SERVER, 8, services=names)).services == tuple(names[:4])


def test_no_service_need_be_watched() -> None:
    assert check(SIGNER.order(SERVER, 8, services=[])).services == ()


def test_the_mail_system_is_read_with_the_order_or_the_order_is_refused() -> None:
    read = check(SIGNER.order(SERVER, 8, mail=mail())).mail

    assert read
    assert [mailbox.address for mailbox in read.mailboxes] == ["alice@firm.test"]
    for malformed in ({}, [], 5, "mail", mail(domains=None), mail(canary_every=0), mail(mailboxes=[{}])):
        assert why(SIGNER.order(SERVER, 8, mail=malformed)) == (8, "malformed mail")
