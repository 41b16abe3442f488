"""What is wanted of the mail system is read whole, or refused by the name of what is wrong."""

import contextlib
import copy
import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.mailat_agent.mail import state
from agent.mailat_agent.orders import MAX_BODY
from agent.mailat_agent.transport import MAX_ANSWER
from tests.agent.orders import Signer, mail, mailbox

HASH = "{SHA512-CRYPT}$6$rounds=5000$" + "s" * 16 + "$" + "h" * 86
EVERYTHING = mail(
    domains=[{"name": "firm.test", "catch_all": "alice@firm.test", "mta_sts": "enforce"}],
    mailboxes=[
        mailbox(
            "alice@firm.test",
            name="Älice",
            password=HASH,
            app_passwords=[{"id": "p1", "hash": HASH}],
            forward=["o'neil/x@out.test"],
            vacation={"subject": "Away", "text": "Back\non Monday", "begins": "2026-12-01", "ends": None},
        )
    ],
    aliases=[{"address": "info@firm.test", "targets": ["alice@firm.test", "bob@out.test"]}],
    relay={
        "host": "email-smtp.eu-central-1.amazonaws.com",
        "port": 587,
        "username": "AKIA" + "X" * 16,
        "sealed": "A" * 100,
        "sender": "postmaster@firm.test",
    },
    letters=[{"id": str(uuid5(NAMESPACE_URL, "a letter")), "to": "bob@out.test", "from": "info@firm.test"}],
)
PLACES = (
    "/../etc@firm.test",
    "..@firm.test",
    ".@firm.test",
    "a..b@firm.test",
    "#a@firm.test",
    "a/b@firm.test",
)


def why(value: object) -> str:
    with pytest.raises(state.Malformed) as wrong:
        state.read(value)
    return str(wrong.value)


def changed(path: tuple[str | int, ...], value: object) -> object:
    whole = copy.deepcopy(EVERYTHING)
    inner: Any = whole
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return whole


def test_everything_is_read_as_it_was_written() -> None:
    wanted = state.read(EVERYTHING)

    assert wanted.domains == (state.Domain("firm.test", "alice@firm.test", "enforce"),)
    (alice,) = wanted.mailboxes
    assert (alice.address, alice.name, alice.password) == ("alice@firm.test", "Älice", HASH)
    assert alice.app_passwords == (state.AppPassword("p1", HASH),)
    assert alice.vacation == state.Vacation("Away", "Back\non Monday", "2026-12-01", None)
    assert wanted.aliases == (state.Alias("info@firm.test", ("alice@firm.test", "bob@out.test")),)
    assert wanted.relay
    assert (wanted.relay.host, wanted.relay.port) == ("email-smtp.eu-central-1.amazonaws.com", 587)
    assert wanted.reboot == state.Window((5, 6), 3, 2)
    assert [(one.to, one.sender) for one in wanted.letters] == [("bob@out.test", "info@firm.test")]


def test_no_hash_and_no_sealed_text_shows_in_what_a_log_might_say() -> None:
    assert HASH not in repr(state.read(EVERYTHING))
    assert "A" * 100 not in repr(state.read(EVERYTHING))


@pytest.mark.parametrize("address", PLACES)
def test_no_mailbox_or_alias_is_a_place_elsewhere_on_the_disk(address: str) -> None:
    assert why(changed(("mailboxes", 0, "address"), address)) == "address"
    assert why(changed(("aliases", 0, "address"), address)) == "address"


OTHER = "0d6a1b0e-6c0f-4f6e-9d0b-2f7a40a3a111"


@pytest.mark.parametrize("name", ["..", "", "x/../y", OTHER.upper(), OTHER[:-1], f"{OTHER}\n", None, 5])
def test_a_mailboxs_id_is_a_uuid_and_so_no_other_place_either(name: object) -> None:
    assert why(changed(("mailboxes", 0, "id"), name)) == "id"
    assert why(mail(erase=[name])) == "erase"


@pytest.mark.parametrize("field", ["id", "to", "from"])
@pytest.mark.parametrize("value", ["..", "", "b\nc@out.test", "<b@out.test>", None, 5])
def test_a_test_mail_is_a_uuid_and_two_addresses(field: str, value: object) -> None:
    assert why(changed(("letters", 0, field), value)) == "letters"
    assert state.read(mail()).letters == ()


def test_two_mailboxes_are_two_owners() -> None:
    boxes = [mailbox("a@firm.test", id=OTHER), mailbox("b@firm.test", id=OTHER)]
    assert why(mail(mailboxes=boxes)) == "id"


def test_what_is_to_be_erased_is_named_by_id_once_and_is_nobodys_who_is_wanted() -> None:
    assert state.read(mail()).erase == ()
    assert state.read(mail(erase=[OTHER])).erase == (OTHER,)
    assert why(mail(erase=[OTHER], mailboxes=[mailbox("a@firm.test", id=OTHER)])) == "erase"
    assert why(mail(erase=OTHER)) == "erase"


@pytest.mark.parametrize(
    "address", ["bob@out.test\n", "bob@out.test x", '"b"@out.test', "b:c@out.test", "b", ""]
)
def test_a_target_cannot_end_its_line_or_its_field(address: str) -> None:
    assert why(changed(("aliases", 0, "targets"), [address])) == "targets"
    assert why(changed(("mailboxes", 0, "forward"), [address])) == "forward"


@pytest.mark.parametrize("text", ["a\r", "a\0", "a\x7f", "x" * 5001])
def test_texts_hold_no_control_characters_and_are_bounded(text: str) -> None:
    assert why(changed(("mailboxes", 0, "vacation", "text"), text)) == "text"
    assert why(changed(("mailboxes", 0, "name"), text)) == "name"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("mailboxes", 0, "address"), "alice@elsewhere.test"),
        (("aliases", 0, "address"), "info@elsewhere.test"),
        (("mailboxes",), [mailbox("a@firm.test"), mailbox("a@firm.test")]),
        (("domains",), EVERYTHING["domains"] * 2),  # type: ignore[operator]
    ],
)
def test_addresses_are_at_its_domains_and_each_is_there_once(path: tuple[str, ...], value: object) -> None:
    assert why(changed(path, value)) in {"domains", "mailboxes", "aliases"}


@pytest.mark.parametrize("directory", ["http://acme.test/dir", "https://a b", "https://x'", "", 5])
def test_certificates_come_by_tls_only(directory: object) -> None:
    assert why(changed(("acme", "directory"), directory)) == "directory"


def leaves(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items: list[Any] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    deeper = [leaf for key, inner in items for leaf in leaves(inner, (*path, key))]
    return [path, *deeper] if path else deeper


@given(
    st.sampled_from(leaves(EVERYTHING)),
    st.sampled_from([{}, [{}], [[5]], 1.5, -1, 2**60, "\n", "A B", [None]]),
)
def test_anything_else_in_any_place_is_malformed_or_read_but_no_other_error(
    path: tuple[str | int, ...], value: object
) -> None:
    with contextlib.suppress(state.Malformed):
        assert state.read(changed(path, value)).canary_every == 300


def test_an_order_with_two_hundred_mailboxes_of_eight_app_passwords_fits() -> None:
    passwords = [{"id": f"{number:032}", "hash": HASH} for number in range(8)]
    boxes = [
        mailbox(f"person-number-{number}@firm.test", password=HASH, app_passwords=passwords, name="P" * 40)
        for number in range(200)
    ]
    order = Signer().order("0d6a1b0e-6c0f-4f6e-9d0b-2f7a40a3a111", 1, mail=mail(mailboxes=boxes))

    assert len(str(order["body"])) < MAX_BODY / 2
    assert len(json.dumps({"poll": 60, "desired": order})) < MAX_ANSWER / 4
