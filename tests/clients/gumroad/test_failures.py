"""Every failure is one of the three kinds, and none of them holds the token."""

import socket
from typing import Any

import pytest
import requests

from clients import gumroad as module
from clients.errors import ClientError, Gone, Refused, TryLater
from clients.gumroad import Gumroad

SALE = "/v2/sales/S"


def test_not_found_comes_with_200_and_is_gone(vendor: Any, gumroad: Gumroad) -> None:
    vendor.says(SALE, {"success": False, "message": "The sale was not found."})
    with pytest.raises(Gone):
        gumroad.sale("S")


def test_not_found_as_it_is_announced_is_gone_as_well(vendor: Any, gumroad: Gumroad) -> None:
    vendor.says(SALE, {"success": False, "message": "The sale was not found."}, status=404)
    with pytest.raises(Gone):
        gumroad.sale("S")


def test_a_wrong_address_is_not_a_sale_that_does_not_exist(vendor: Any, gumroad: Gumroad) -> None:
    vendor.says(SALE, b"<h1>Page not found</h1>", status=404)
    with pytest.raises(Refused):
        gumroad.sale("S")


@pytest.mark.parametrize("status", [400, 401, 402, 403, 422])
def test_what_asking_again_does_not_mend_is_refused(vendor: Any, gumroad: Gumroad, status: int) -> None:
    vendor.says(SALE, {"error": "invalid_token"}, status=status)
    with pytest.raises(Refused, match="invalid_token") as caught:
        gumroad.sale("S")
    assert caught.value.code == str(status)


def test_any_other_lack_of_success_is_refused(vendor: Any, gumroad: Gumroad) -> None:
    vendor.says(SALE, {"success": False, "message": "The sale was unable to be modified."})
    with pytest.raises(Refused, match="unable to be modified"):
        gumroad.sale("S")


def test_a_redirect_is_not_followed_with_the_token(vendor: Any, gumroad: Gumroad) -> None:
    vendor.says(SALE, b"", status=302, headers={"Location": vendor.url + "/sales/other"})
    with pytest.raises(Refused):
        gumroad.sale("S")
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 520])
def test_what_passes_by_itself_is_tried_later(vendor: Any, gumroad: Gumroad, status: int) -> None:
    vendor.says(SALE, b"<h1>busy</h1>", status=status)
    with pytest.raises(TryLater) as caught:
        gumroad.sale("S")
    assert caught.value.retry_after > 0


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7), ("0", 1), ("999999", 3600), ("Sun, 22 Nov 2026 10:00:00 GMT", 30), ("-4", 30)],
)
def test_later_is_when_gumroad_says(vendor: Any, gumroad: Gumroad, said: str, seconds: float) -> None:
    vendor.says(SALE, b"", status=429, headers={"Retry-After": said})
    with pytest.raises(TryLater) as caught:
        gumroad.sale("S")
    assert caught.value.retry_after == seconds


def test_a_query_that_took_too_long_comes_with_400_and_is_tried_later(vendor: Any, gumroad: Gumroad) -> None:
    vendor.says("/v2/sales", {"status": 400, "error": "Query timed out. Try narrowing"}, status=400)
    with pytest.raises(TryLater):
        list(gumroad.sales())


STRANGE = [
    b"",
    b"<html>",
    b"[]",
    b"[" * 5000,
    b"\xff\xfe",
    b'{"success": true}',
    b'{"success": true, "sale": []}',
    b'{"success": true, "sale": {"id": "S"}}',
    b'{"success": true, "sale": {"id": 5, "product_id": "P"}}',
    b'{"success": true, "sale": {"id": "S", "product_id": "P", "created_at": "soon"}}',
    b'{"success": true, "sale": {"id": "S", "product_id": "P", "created_at": "0001-01-01T00:00:00+09:00"}}',
    b'{"success": true, "sale": {"id": "S", "product_id": "P", "variants": "Plus"}}',
]


@pytest.mark.parametrize("body", STRANGE)
def test_a_strange_answer_is_tried_later(vendor: Any, gumroad: Gumroad, body: bytes) -> None:
    vendor.says(SALE, body)
    with pytest.raises(TryLater, match="strange"):
        gumroad.sale("S")


def test_an_end_that_cannot_be_read_is_never_taken_for_no_end(vendor: Any, gumroad: Gumroad) -> None:
    row = {"id": "S", "product_id": "P", "status": "alive", "cancelled_at": "next week"}
    vendor.says("/v2/subscribers/S", {"success": True, "subscriber": row})
    with pytest.raises(TryLater):
        gumroad.subscriber("S")


def test_an_endless_answer_is_cut(vendor: Any, gumroad: Gumroad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    vendor.says(SALE, b" " * 200_000)
    with pytest.raises(TryLater, match="too long"):
        gumroad.sale("S")


def test_an_answer_that_drips_is_left(vendor: Any, gumroad: Gumroad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SECONDS", -1.0)
    vendor.says(SALE, b"{}")
    with pytest.raises(TryLater, match="in time"):
        gumroad.sale("S")


def test_a_connection_that_breaks_is_tried_later(vendor: Any, gumroad: Gumroad) -> None:
    vendor.hangs_up(SALE)
    with pytest.raises(TryLater):
        gumroad.sale("S")


def test_an_answer_that_breaks_off_is_tried_later(vendor: Any, gumroad: Gumroad) -> None:
    vendor.says(SALE, b'{"success": true', headers={"Content-Length": "500", "Connection": "close"})
    with pytest.raises(TryLater):
        gumroad.sale("S")


def test_nobody_at_home_is_tried_later() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v2"
        with pytest.raises(TryLater), Gumroad("token", url) as client:
            client.sale("S")


def test_silence_is_tried_later() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/v2"
        with pytest.raises(TryLater, match="in time"), Gumroad("token", url, timeout=(1, 0.05)) as client:
            client.sale("S")


@pytest.mark.parametrize("token", ["", " ", "two words", "line\nfeed", "ümlaut"])
def test_a_token_that_is_none_is_refused_before_it_is_sent(token: str) -> None:
    with pytest.raises(Refused) as caught:
        Gumroad(token, "http://127.0.0.1:9/v2")
    assert not token.strip() or token not in str(caught.value)


def test_no_failure_and_no_repr_holds_the_token(vendor: Any, gumroad: Gumroad) -> None:
    vendor.says("/v2/sales/refused", {"error": "bad token"}, status=401)
    vendor.hangs_up("/v2/sales/later")
    shown = repr(gumroad) + repr(vars(gumroad)) + repr(vars(gumroad._session))
    for sale in ("refused", "later"):
        with pytest.raises(ClientError) as caught:
            gumroad.sale(sale)
        shown += repr(caught.value) + str(caught.value) + str(caught.value.__cause__)
    assert "secret-token-of-the-seller" not in shown


def test_gumroad_is_given_the_time_that_it_takes_itself(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers a list within fifteen seconds, if only that it took too long."""
    asked: list[tuple[float, float]] = []
    send = requests.Session.send

    def timed(session: requests.Session, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        asked.append(how["timeout"])
        return send(session, request, **how)

    monkeypatch.setattr(requests.Session, "send", timed)
    vendor.says("/v2/sales", {"success": True, "sales": []})
    Gumroad("token", vendor.url).sales_page()
    assert 15 < asked[0][1] < module.MOST_SECONDS
