"""Who tries words at a webhook gets nothing for it, and who knows the word is never held up."""

import pytest
from django.conf import settings
from django.test import Client

from billing.models import Ping
from mailat import middleware
from mailat.guesses import MOST, Guesses, network

pytestmark = pytest.mark.django_db
RIGHT = settings.GUMROAD_WEBHOOK_SECRET
FORM = "application/x-www-form-urlencoded"
WRONG = [
    "x",
    RIGHT[:-1],
    RIGHT + "x",
    "X" + RIGHT[1:],
    RIGHT.upper(),
    "ü" * 40,
    "%00",
    "a" * 4000,
    RIGHT + "%2F",
]


@pytest.fixture(autouse=True)
def _nobody_guessed_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "guesses", Guesses())


def ping(client: Client, word: str, **more: str) -> object:
    return client.post(f"/hooks/gumroad/{word}", b"resource_name=sale&sale_id=1", FORM, **more)  # type: ignore[arg-type]


def test_every_wrong_word_is_answered_alike_and_like_a_door_that_is_none(client: Client) -> None:
    def told(answer: object) -> object:
        headers = {name: value for name, value in answer.items() if name != "X-Request-ID"}  # type: ignore[attr-defined]
        return answer.status_code, answer.content, headers  # type: ignore[attr-defined]

    nowhere = told(client.post("/hooks/nobody/x", b"", FORM))
    for word in WRONG:
        for call in (client.get, client.post, client.put, client.head, client.options):
            assert told(call(f"/hooks/gumroad/{word}")) == nowhere
            middleware.guesses = Guesses()
    assert nowhere[0] == 404  # type: ignore[index]
    assert not Ping.objects.exists()


def test_who_guesses_on_is_told_to_wait_and_the_log_does_not_grow(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "mailat.request")
    statuses = [ping(client, f"guess{n}").status_code for n in range(MOST + 200)]  # type: ignore[attr-defined]
    assert statuses == [404] * MOST + [429] * 200
    assert len(caplog.records) == MOST + 1
    assert "guess" not in caplog.text


def test_the_right_word_is_kept_even_from_where_all_others_were_wrong(client: Client) -> None:
    for n in range(MOST + 50):
        ping(client, f"guess{n}")
    answers = [ping(client, RIGHT).status_code for _ in range(3 * MOST)]  # type: ignore[attr-defined]
    assert answers == [200] * 3 * MOST
    assert Ping.objects.count() == 3 * MOST


def test_one_guesser_does_not_stand_for_another(client: Client) -> None:
    for n in range(MOST + 1):
        ping(client, f"guess{n}", REMOTE_ADDR="203.0.113.7")
    assert ping(client, "x", REMOTE_ADDR="203.0.113.7").status_code == 429  # type: ignore[attr-defined]
    assert ping(client, "x", REMOTE_ADDR="203.0.113.8").status_code == 404  # type: ignore[attr-defined]


def test_a_provider_of_ipv6_gives_a_guesser_no_new_name_for_each_guess() -> None:
    assert network("2001:db8:1:2::7") == network("2001:db8:1:2:ffff::9") != network("2001:db8:1:3::7")


def test_what_is_remembered_of_guessers_is_bounded() -> None:
    guesses = Guesses(networks=100)
    for n in range(1000):
        guesses.wrong(f"2001:db8:{n:x}::1")
    assert len(guesses) == 100


def test_a_window_that_is_over_is_forgotten() -> None:
    guesses = Guesses(window=0.0)
    assert [guesses.wrong("203.0.113.7") for _ in range(3)] == [1, 1, 1]
