"""Every refusal of the assistant, brought about at Amazon's stand-in and seen in a browser with its sentence and next step.

SCREENSHOTS=DIRECTORY keeps a picture of each, light and dark, wide and narrow.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account, User
from clients.aws_keys import smtp_password
from clients.aws_policy import policy
from dashboard import sending_words
from domains import actions as domains
from domains import ses
from domains.models import Domain
from sandbox.aws.iam import Key
from sandbox.aws.sending import PAUSED
from sending import actions, worry_letters
from sending.models import Worry
from tests.browser.conftest import WIDE, Window
from tests.browser.sending_desk import Desk
from tests.dashboard import mail_world
from tests.sandbox.aws.place import REGION, Place
from tests.sending.conftest import BY, answer, due_now, work
from tests.sending.test_permissions import without

pytestmark = pytest.mark.browser
WHOLE, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
NO_SIGN_IN = (535, "535 Authentication Credentials Invalid")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("home"))
    yield made
    made.close()


@pytest.fixture
def desk(
    chromium: Browser, live_server: LiveServer, alice: User, account: Account, place: Place, settings: Any
) -> Iterator[Desk]:
    """Alice at the assistant's page; nothing is set up."""
    settings.AWS_API_URL = place.api
    window = Window(chromium, live_server.url, "light", WIDE).sign_in(alice)
    server = mail_world.serving(account)
    mail_world.domain(server)
    yield Desk(window, server, place, settings)
    window.context.close()


def wrong_key(desk: Desk) -> None:
    desk.paste({**desk.place.key(), "access_key": "AKIA" + "7" * 16})


def wrong_secret(desk: Desk) -> None:
    desk.paste({**desk.place.key(), "secret": SECRET})


def temporary_key(desk: Desk) -> None:
    """One of a role that looks like a user's: whose it is, only Amazon knows."""
    account = desk.place.post("accounts")["account"]
    made = Key("AKIA" + "R" * 16, SECRET, account, "role", "temporary", "", True, "2026-11-21T00:00:00Z")
    desk.place.cloud.iam.keep(made)
    desk.paste({"access_key": made.access_key, "secret": made.secret})


def root_key(desk: Desk) -> None:
    desk.paste(desk.place.key(kind="root"))


def in_state(state: str) -> Callable[[Desk], None]:
    def bring_about(desk: Desk) -> None:
        key = desk.place.key()
        desk.place.choose(key, state)
        desk.paste(key)

    return bring_about


def kept_back(state: str) -> Callable[[Desk], None]:
    """The account may not send, which is known before the key may do all that it needs."""

    def bring_about(desk: Desk) -> None:
        account, whole = _limited(desk)
        key = desk.place.key(account=account, policy=without(whole, "sns:CreateTopic"))
        desk.place.choose(key, state)
        desk.paste(key)

    return bring_about


def permission(desk: Desk) -> None:
    """While the key is in use, its user loses one."""
    account, whole = _limited(desk)
    desk.paste(desk.place.key(account=account, policy=whole))
    answer(desk.home)
    less = without(whole, "ses:GetAccount")
    desk.place.post("users", account=account, user="mailat-sending", policy=less)
    due_now()


def _limited(desk: Desk) -> tuple[str, dict[str, Any]]:
    account = desk.place.post("accounts")["account"]
    names = list(Domain.objects.filter(home=desk.home).values_list("name", flat=True))
    return account, policy(region=REGION, domains=names, account=account)


def refused(desk: Desk) -> None:
    """We call ourselves by a name to which no report can be sent."""
    named, desk.settings.BASE_URL = desk.settings.BASE_URL, "https://"
    desk.paste(desk.place.key())
    desk.settings.BASE_URL = named


def no_server(desk: Desk) -> None:
    desk.seal_key("")
    desk.paste(desk.place.key())


def no_domain(desk: Desk) -> None:
    """It is removed while the key still lacks something."""
    mail_world.domain(desk.server, "short.example")
    account, whole = _limited(desk)
    key = desk.place.key(account=account, policy=without(whole, "sns:CreateTopic"))
    desk.paste(key, sender="short.example")
    domains.remove_domain(domain=Domain.objects.get(name="short.example"), confirmed=True, by=BY)
    desk.place.post("users", account=account, user="mailat-sending", policy=whole)
    due_now()


def smtp(desk: Desk) -> None:
    desk.paste(desk.place.key())
    answer(desk.home, NO_SIGN_IN)


CASES: dict[str, Callable[[Desk], None]] = {
    "permission": permission,
    "wrong_key": wrong_key,
    "wrong_secret": wrong_secret,
    "temporary_key": temporary_key,
    "root_key": root_key,
    "region_off": in_state("region_off"),
    "not_signed_up": in_state("not_signed_up"),
    "suspended": kept_back("paused"),
    "paused": kept_back("switched_off"),
    "limit": in_state("full"),
    "refused": refused,
    "no_server": no_server,
    "no_domain": no_domain,
    "smtp": smtp,
}


def test_no_code_is_left_out() -> None:
    assert set(CASES) == set(sending_words.OBSTACLES)
    assert set(TYPED) == set(ses.WRONG)


def test_each_refusal_of_amazons_is_told_with_what_to_do(desk: Desk) -> None:
    unseen = {}
    for code, bring_about in CASES.items():
        desk.afresh()
        bring_about(desk)
        desk.reload()
        shown = desk.notice(sending_words.OBSTACLES[code][0], sending_words.OBSTACLES[code][2])
        if not shown.is_visible():
            unseen[code] = [
                desk.page.locator("h1").inner_text(),
                *desk.page.locator(".notice").all_inner_texts(),
            ]
        desk.keep_picture(f"refusal-{code}")
    assert unseen == {}
    assert desk.window.complaints == []


def test_missing_permissions_are_listed_with_what_each_is_for(desk: Desk) -> None:
    lacks = ("ses:GetAccount", "ses:GetEmailIdentity", "sns:Subscribe")
    account, whole = _limited(desk)
    desk.paste(desk.place.key(account=account, policy=without(whole, *lacks)))
    desk.reload()
    expect(desk.page.get_by_text("does not allow this key 3 things that are needed")).to_be_visible()
    for action in lacks:
        line = desk.page.get_by_role("listitem").filter(has=desk.page.get_by_text(action, exact=True)).last
        expect(line).to_contain_text(sending_words.purpose(action))
        expect(line).to_be_visible()
    expect(desk.page.get_by_text("give the user the policy of step 1 as it stands here now")).to_be_visible()
    desk.keep_picture("refusal-permissions")

    desk.place.post("users", account=account, user="mailat-sending", policy=whole)
    desk.page.get_by_role("button", name="Check again").click()
    work()
    desk.reload()
    expect(desk.page.get_by_text("does not allow this key")).to_have_count(0)


def test_an_amazon_that_wants_fewer_calls_is_waited_for(desk: Desk) -> None:
    in_state("throttled")(desk)
    due_now()
    due_now()
    desk.reload()
    expect(
        desk.page.get_by_text("Amazon cannot be reached, or does not answer as it should.")
    ).to_be_visible()
    expect(desk.page.get_by_text("We try again by ourselves.").first).to_be_visible()
    desk.keep_picture("refusal-throttled")


def test_what_is_seen_of_an_account_while_it_is_watched_is_told_with_what_to_do(desk: Desk) -> None:
    for state, code in (("paused", "paused"), ("switched_off", "paused"), ("under_review", "review")):
        desk.afresh()
        in_state(state)(desk)
        answer(desk.home, (250, "250 Ok 0100") if code == "review" else (554, PAUSED))
        desk.reload()
        worry = Worry.objects.get(home=desk.home, code=code, over_at=None)
        told = worry_letters.says(code, worry.facts), worry_letters.advice(code, worry.facts)
        expect(desk.notice(*told)).to_be_visible()
        desk.keep_picture(f"watched-{state}")


# What a paste can look like: key, secret.
TYPED = {
    "temporary": ("ASIAIOSFODNN7EXAMPLE", SECRET),
    "swapped": (SECRET, WHOLE),
    "no_key": ("", SECRET),
    "space_in_key": ("AKIA IOSFODNN7EXAMPLE", SECRET),
    "secret_as_key": (SECRET, SECRET),
    "key": ("AIDAIOSFODNN7EXAMPLE", SECRET),
    "no_secret": (WHOLE, ""),
    "space_in_secret": (WHOLE, f"{SECRET[:20]} {SECRET[20:]}"),
    "smtp_password": (WHOLE, smtp_password(SECRET, REGION)),
    "key_as_secret": (WHOLE, WHOLE),
    "secret": (WHOLE, SECRET[:-1]),
}


def test_each_thing_that_a_paste_can_be_is_told_beside_its_field(desk: Desk) -> None:
    for code, (access_key, secret) in TYPED.items():
        desk.fill(access_key, secret)
        desk.press("set")
        field = "secret" if code in ses.OF_SECRETS else "access_key"
        desk.beside(field, str(ses.WRONG[code]))
        shown = desk.page.content()
        assert SECRET not in shown, code
        assert secret in ("", WHOLE) or secret not in shown, code
        desk.keep_picture(f"form-{code}")


# What else may be chosen or asked: form, field, what the browser is made to send, what is said.
CHOSEN = [
    ("set", "region", "", "Choose the AWS region in which your domain is verified"),
    ("set", "region", "moon-1", "Choose one of the regions."),
    ("set", "port", "25", "Choose one of the ports."),
    ("set", "sender_domain", "x", "Choose one of the domains of this server."),
    ("test", "from_domain", "x", "Choose one of the domains of this server."),
    ("test", "to", "bo@firm.example", "Mail to your own domain does not leave the server. Choose an address elsewhere."),
    ("test", "to", "alice@elsewhere.test", "the address has not proven itself. Choose “Ask Amazon to write to this address”."),
    ("test", "to", "nonsense", "“nonsense” is no mail address."),
    ("sender", "sender_domain", "x", "Choose one of the domains of this server."),
]  # fmt: skip


def test_each_choice_that_cannot_be_is_told_beside_its_field(desk: Desk) -> None:
    mail_world.domain(desk.server, "office.example")
    desk.paste(desk.place.key())
    answer(desk.home)
    for form, field, value, says in CHOSEN:
        desk.fill(WHOLE, SECRET)
        desk.choose(form, field, value)
        desk.press(form)
        desk.beside(field if form == "set" else f"{form}-{field}", says)
        desk.keep_picture(f"form-{form}-{field}-{value[:4]}")


def test_what_is_over_or_not_yet_there_is_told_above(desk: Desk) -> None:
    desk.reload()
    desk.press("test")
    desk.above("Mail cannot leave yet: a key must be tried first.")
    for do in ("again", "drop"):
        desk.afresh()
        desk.paste(desk.place.key(kind="root"))
        desk.reload()
        actions.drop_candidate(home=desk.home, by=BY)
        desk.press(do)
        desk.above("There is no key that is being tried any more.")
    desk.afresh()
    in_state("production")(desk)
    answer(desk.home)
    desk.letters(10)
    desk.reload()
    desk.choose("test", "to", "alice@elsewhere.test")
    desk.press("test")
    desk.above("This server sends at most 10 test mails an hour. Try again later.")
    desk.keep_picture("form-test-too-many")
