"""Label selectors choose what the vendor's documentation says they choose."""

import pytest

from sandbox.hetzner.errors import ApiError
from sandbox.hetzner.labels import read, selector

ALICE = {"env": "production", "type": "mail", "empty": "", "example.test/x": "1"}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("", True),
        ("env", True),
        ("!env", False),
        ("nothing", False),
        ("!nothing", True),
        ("env=production", True),
        ("env==production", True),
        ("env = production", True),
        ("env=staging", False),
        ("env!=staging", True),
        ("nothing!=staging", True),
        ("empty=", True),
        ("env in (staging, production)", True),
        ("env in (staging,testing)", False),
        ("env notin (staging,testing)", True),
        ("nothing notin (a)", True),
        ("env=production,type!=database", True),
        ("env in (production,staging),!type", False),
        ("example.test/x=1", True),
    ],
)
def test_a_selector_chooses(text, fits):
    assert selector(text)(ALICE) is fits


@pytest.mark.parametrize("text", ["a b", "=v", "a in b", "a in (b", "a=b=c", ",", "a,,b", "-a"])
def test_a_selector_that_cannot_be_read_is_refused(text):
    with pytest.raises(ApiError):
        selector(text)


@pytest.mark.parametrize("key", ["", "-a", "a-", "a" * 64, "a b", "Bad_/x", "hetzner.cloud/x", "a/b/c", "ä"])
def test_a_bad_key_is_refused(key):
    with pytest.raises(ApiError):
        read({key: "v"})


@pytest.mark.parametrize("value", ["alice@example.test", "abc==", "a b", "-a", "a" * 64, 1, None])
def test_a_bad_value_is_refused(value):
    with pytest.raises(ApiError):
        read({"k": value})


def test_good_labels_are_kept_as_they_are():
    labels = {"a": "", "b.c-d_e": "F.g-h_1", "example.test/my": "x" * 63}
    assert read(labels) == labels
