"""What becomes of a letter that is sent again, and of a server that staff wake, suspend or give more time."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import Letter, SignInLink
from audit.models import Deed, Event
from engine.models import Run
from servers.models import Destruction, Suspension
from tests.admin.conftest import World
from tests.admin.test_acts import WHY, act, ask
from tests.admin.test_reasons import do

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(world: World) -> World:
    """The letter has left, so that it can be sent again."""
    Letter.objects.update(sent_at=timezone.now())
    return world


# --- letters


def test_a_letter_goes_again_to_the_same_address_in_the_same_words(staff_site: Client, world: World) -> None:
    first = world["accounts/letter"]
    do(staff_site, "send_again", world)
    again = Letter.objects.exclude(pk=first.pk).get()
    assert (again.kind, again.to, again.context, again.account_id) == (first.kind, first.to, first.context, first.account_id)  # fmt: skip
    assert again.sent_at is None
    assert Run.objects.filter(program="SendLetter", subject=f"letter:{again.pk}", finished_at=None).exists()


def test_a_letter_that_lets_somebody_in_is_not_sent_again(staff_site: Client, world: World) -> None:
    link = SignInLink.objects.get()
    for kind, context in (
        ("welcome", {"sign_in_link": str(link.pk)}),
        ("mailbox_invitation", {"invitation": "x"}),
    ):
        SignInLink.objects.update(expires_at=timezone.now() + timedelta(minutes=5))
        Letter.objects.filter(pk=world["accounts/letter"].pk).update(kind=kind, context=context)
        assert (
            "Only they can ask for a new one"
            in ask(staff_site, "accounts/letter", "send_again", world["accounts/letter"]).content.decode()
        )
        do(staff_site, "send_again", world)
    assert Letter.objects.count() == 1


def test_every_kind_of_letter_with_a_way_in_is_known_here() -> None:
    assert "mailbox_invitation" in settings.LETTER_WAYS


def test_a_letter_that_is_on_its_way_is_not_doubled(staff_site: Client, world: World) -> None:
    Letter.objects.update(sent_at=None)
    do(staff_site, "send_again", world)
    assert Letter.objects.count() == 1


# --- servers


def test_waking_a_server_makes_its_runs_due(staff_site: Client, world: World) -> None:
    do(staff_site, "wake", world)
    assert Run.objects.get(pk=world["engine/run"].pk).due_at <= timezone.now()


def test_a_server_for_which_nothing_is_at_work_cannot_be_woken(staff_site: Client, world: World) -> None:
    Run.objects.update(finished_at=timezone.now(), due_at=None)
    do(staff_site, "wake", world)
    assert Deed.objects.get(reason=WHY).told[0]["why_not"] == "No program is at work for it."
    assert not Event.objects.filter(action="run.woken").exists()


def test_sending_is_suspended_once_and_resumed_once(staff_site: Client, world: World) -> None:
    server = world["servers/server"]
    page = f"/admin/servers/server/{server.pk}/change/"
    assert b"Resume sending" not in staff_site.get(page).content
    for _ in range(2):
        do(staff_site, "suspend_sending", world)
    assert Suspension.objects.filter(server=server, ended_at=None).count() == 1
    assert b"Resume sending" in staff_site.get(page).content
    for _ in range(2):
        act(staff_site, "servers/server", "resume_sending", server)
    assert not Suspension.objects.filter(server=server, ended_at=None).exists()
    assert Event.objects.filter(action="sending.resumed").count() == 1


@pytest.mark.parametrize("days", ["0", "31", "-1", "x", "", "1.5", "9" * 30])
def test_a_deletion_is_put_off_by_days_that_there_can_be(staff_site: Client, world: World, days: str) -> None:
    before = Destruction.objects.get().due_at
    assert do(staff_site, "extend_grace", world, days=days).status_code == 422
    assert Destruction.objects.get().due_at == before


def test_a_deletion_is_put_off_from_either_page_and_never_by_more_than_thirty_days(
    staff_site: Client, world: World
) -> None:
    before = Destruction.objects.get().due_at
    do(staff_site, "extend_grace", world, days=20)
    act(staff_site, "servers/destruction", "extend_grace", world["servers/destruction"], days=10)
    act(staff_site, "servers/destruction", "extend_grace", world["servers/destruction"], days=1)
    assert Destruction.objects.get().due_at == before + timedelta(days=30)
    assert [bool(one.told[0]["why_not"]) for one in Deed.objects.filter(reason=WHY).order_by("at")] == [False, False, True]  # fmt: skip
