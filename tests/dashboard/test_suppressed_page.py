"""Amazon's suppression list on its page: asked for, read, refused, searched, and shown to owners only."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User
from audit.models import Event
from dashboard import sending_words
from dashboard.mail.suppressed import PASSING
from domains.models import Domain
from engine.models import Run
from sending import refusals
from sending.models import Suppression
from sending.programs import read_suppressed
from tests.dashboard import mail_world, sending_world
from tests.dashboard.sending_world import refused
from tests.dashboard.test_pages import headline, text


@pytest.fixture
def firm(account: Account) -> Domain:
    return mail_world.domain(mail_world.serving(account))


@pytest.fixture
def used(firm: Domain) -> Domain:
    """With a key in use."""
    sending_world.works(firm)
    return firm


def page_of(firm: Domain) -> str:
    return f"/mail/sending/{firm.home}/suppressed"


def said(page: Any) -> str:
    return text(page).replace("&#x27;", "'")


def test_the_assistant_leads_there_and_nothing_is_asked_by_looking(as_alice: Client, used: Domain) -> None:
    assistant = as_alice.get(f"/mail/sending/{used.home}").content.decode()
    assert f'href="{page_of(used)}"' in assistant
    page = as_alice.get(page_of(used))
    assert headline(page) == "To whom Amazon no longer sends"
    assert "Show the list" in text(page)
    assert not Suppression.objects.exists()


def test_without_a_key_it_leads_to_the_key(as_alice: Client, firm: Domain) -> None:
    page = as_alice.get(page_of(firm))
    assert "there is none yet" in text(page)
    assert 'form="show-form"' not in page.content.decode()
    assert as_alice.post(page_of(firm), {"do": "show"}).status_code == 422
    assert "suppressed" not in as_alice.get(f"/mail/sending/{firm.home}").content.decode()


def test_asked_for_it_is_read_by_a_worker_and_the_page_looks_again(
    as_alice: Client, used: Domain, alice: User
) -> None:
    page = as_alice.post(page_of(used), {"do": "show"}, follow=True)
    row = Suppression.objects.get()
    assert (row.home, row.by) == (used.home, f"user:{alice.pk}")
    run = Run.objects.get(program="ReadSuppressed")
    assert run.finished_at is None
    assert "The list is being read." in text(page)
    assert 'data-poll="2"' in page.content.decode()
    Run.objects.filter(pk=run.pk).update(args={"seen": 1200})
    assert "1200 addresses so far." in as_alice.get(f"{page_of(used)}/live").content.decode()
    Run.objects.filter(pk=run.pk).update(error="it fails", tries=3)
    assert "We try again by ourselves." in text(as_alice.get(page_of(used)))


def test_addresses_stand_with_reason_and_since_when(as_alice: Client, used: Domain) -> None:
    listed(used, entry("bo@outside.test"), entry("cy@outside.test", "COMPLAINT"), entry("di@x.test", "NEW"))
    page = as_alice.get(page_of(used))
    lines = said(page)
    assert "3 addresses." in lines
    assert "bo@outside.test mail to it came back for good" in lines
    assert "cy@outside.test its reader called a mail from you spam; since" in lines
    assert "di@x.test NEW; since" in lines
    assert "Amazon's list is longer" not in lines
    assert 'data-poll="300"' in page.content.decode()
    assert page.headers["Cache-Control"].startswith("private")


def entry(address: str, reason: str = "BOUNCE", **more: Any) -> dict[str, Any]:
    since = datetime(2026, 11, 3, 9, 0, tzinfo=UTC).isoformat()
    return {"address": address, "reason": reason, "since": since, **more}


def listed(firm: Domain, *entries: dict[str, Any], **fields: Any) -> Suppression:
    now = timezone.now()
    given = {"asked_at": now, "read_at": now - timedelta(seconds=90), "by": "user:1", **fields}
    return Suppression.objects.create(home=firm.home, account=firm.account, entries=list(entries), **given)


def test_nobody_on_the_list_is_said(as_alice: Client, used: Domain) -> None:
    listed(used)
    assert "Nobody is on the list." in text(as_alice.get(page_of(used)))


def test_a_long_list_has_pages_and_says_that_amazons_is_longer(as_alice: Client, used: Domain) -> None:
    listed(used, *(entry(f"r{n:03}@outside.test") for n in range(120)), more=True)
    first, last = as_alice.get(page_of(used)), as_alice.get(f"{page_of(used)}?page=3")
    assert "these are the newest 120" in said(first)
    assert "page 1 of 3" in text(first)
    assert [shown(each)[0] for each in (first, last)] == ["r000@outside.test", "r100@outside.test"]
    assert [len(shown(each)) for each in (first, last)] == [50, 20]
    assert 'hx-get="' in last.content.decode()
    assert "/suppressed/live?page=3" in last.content.decode()
    for strange in ("99", "-1", "x", "9" * 9, "²"):
        assert as_alice.get(f"{page_of(used)}?page={strange}").status_code == 200


def shown(page: Any) -> list[str]:
    return re.findall(r'name="one" value="([^"]+)"', page.content.decode())


def test_an_address_is_searched_for_without_standing_in_a_url(as_alice: Client, used: Domain) -> None:
    listed(used, *(entry(f"r{n:03}@outside.test") for n in range(60)), entry("anna@firm.test"))
    page = as_alice.post(page_of(used), {"do": "search", "part": "ANNA@"})
    assert shown(page) == ["anna@firm.test"]
    assert "1 address has “ANNA@” in it." in said(page)
    assert "Nobody on this list is like that." in text(as_alice.post(page_of(used), {"do": "search", "part": "q"}))  # fmt: skip
    assert "type more of the address" in text(as_alice.post(page_of(used), {"do": "search", "part": "r"}))
    assert len(shown(as_alice.post(page_of(used), {"do": "search", "part": ""}))) == 50


def test_what_amazon_is_asked_about_one_address_stands_beside_it(as_alice: Client, used: Domain) -> None:
    listed(used, entry("bo@outside.test"), entry("cy@outside.test"))
    page = as_alice.post(page_of(used), {"do": "allow", "one": "bo@outside.test"}, follow=True)
    assert "Amazon is being asked" in text(page)
    assert Run.objects.get(program="AllowAgain").finished_at is None
    assert 'data-poll="2"' in page.content.decode()
    assert shown(page) == ["cy@outside.test"]
    row = Suppression.objects.get()
    lack = refused("permission", action="ses:DeleteSuppressedDestination")
    row.entries = [
        entry("bo@outside.test", again="allowed"),
        entry("cy@outside.test", again="refused", trouble=lack),
    ]
    row.save()
    lines = said(as_alice.get(page_of(used)))
    assert "may be written to again" in lines
    assert "Amazon does not allow this key to do ses:DeleteSuppressedDestination." in lines
    assert "Nothing at Amazon was changed." in lines


def test_it_says_what_a_second_bounce_does_and_that_there_is_no_way_back(
    as_alice: Client, used: Domain
) -> None:
    listed(used, entry("bo@outside.test"))
    lines = said(as_alice.get(page_of(used)))
    assert "Amazon puts it on the list again, and the bounce counts against your account" in lines
    assert "It cannot be undone here" in lines


def test_an_address_that_is_not_on_the_list_is_refused(as_alice: Client, used: Domain) -> None:
    assert as_alice.post(page_of(used), {"do": "allow", "one": "bo@outside.test"}).status_code == 422
    listed(used)
    answer = as_alice.post(page_of(used), {"do": "allow", "one": "bo@outside.test"})
    assert answer.status_code == 422
    assert "Read it again, then choose the address." in text(answer)
    assert as_alice.post(page_of(used), {"do": "allow"}).status_code == 422
    assert as_alice.post(page_of(used), {"do": "nothing"}).status_code == 404
    assert not Event.objects.filter(action="suppression.allow_asked").exists()


@pytest.mark.parametrize("code", sorted({*refusals.CODES.values(), "permission", "refused", *PASSING}))
def test_each_refusal_has_its_sentence_and_a_next_step(as_alice: Client, used: Domain, code: str) -> None:
    going = code in read_suppressed.PASSING
    listed(used, read_at=None, trouble=refused(code, says="Hear <us>", action="ses:X"))
    page = as_alice.get(page_of(used))
    assert ("The list is being read." in text(page)) == going
    assert "could not be read" in text(page) or going
    assert "Something keeps it from use" not in text(page)
    assert ("Show the list" in text(page)) != going
    if code in sending_words.OBSTACLES:
        lines = said(page).replace("&lt;", "<").replace("&gt;", ">")
        assert sending_words.told(refused(code, says="Hear <us>", action="ses:X")).todo in lines
    assert "<us>" not in page.content.decode()


def test_when_its_time_is_over_it_is_not_shown_even_before_the_clock_came(
    as_alice: Client, used: Domain
) -> None:
    listed(used, entry("bo@outside.test"), asked_at=timezone.now() - timedelta(minutes=51))
    assert "bo@outside.test" not in as_alice.get(page_of(used)).content.decode()
    assert "Show the list" in as_alice.get(f"{page_of(used)}/live").content.decode()


def test_the_list_can_be_removed_before_its_time(as_alice: Client, used: Domain) -> None:
    listed(used, entry("bo@outside.test"))
    page = as_alice.post(page_of(used), {"do": "forget"}, follow=True)
    assert "Amazon's own list stays as it is." in said(page)
    assert not Suppression.objects.exists()
    assert as_alice.post(page_of(used), {"do": "forget"}).status_code == 422


@pytest.mark.parametrize("name", ["bob", "charlie"])
@pytest.mark.parametrize("do", ["show", "allow", "forget", "search"])
def test_who_is_no_owner_sees_and_does_nothing(
    client: Client, used: Domain, bob: User, charlie: User, name: str, do: str
) -> None:
    listed(used, entry("bo@outside.test"))
    client.force_login({"bob": bob, "charlie": charlie}[name])
    wanted = {"do": do, "one": "bo@outside.test", "part": "bo"}
    for answer in (
        client.post(page_of(used), wanted),
        client.get(page_of(used)),
        client.get(f"{page_of(used)}/live"),
    ):
        assert answer.status_code == (403 if name == "bob" else 404)
        assert "bo@outside.test" not in answer.content.decode()
    assert Suppression.objects.get().entries == [entry("bo@outside.test")]


def test_a_member_is_not_led_there(client: Client, used: Domain, bob: User) -> None:
    client.force_login(bob)
    assert "suppressed" not in client.get(f"/mail/sending/{used.home}").content.decode()
