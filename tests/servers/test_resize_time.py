"""When a server becomes one of another plan: in its window, or when its owner says, and never for a window that is over."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from clients.object_storage import Storage
from servers import plan_changes, resizing
from servers.models import PlanChange, Server
from tests.servers.conftest import Vendor
from tests.servers.growing import DAY, Growing

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
State = PlanChange.State


@pytest.fixture
def grows(server: Server, vendor: Vendor, storage: Storage) -> Growing:
    return Growing(server, vendor)


class TestItsTime:
    def test_it_can_be_put_off_for_fourteen_days(self, grows: Growing):
        grows.want("plus", now=False)
        last = grows.change.wanted_at + plan_changes.PUT_OFF
        resizing.set_time(server=grows.server, at=last, by="user:1")
        assert (grows.change.at, grows.change.chosen) == (last, True)
        for wrong in (last + timedelta(seconds=1), timezone.now() - DAY):
            with pytest.raises(resizing.CannotChange):
                resizing.set_time(server=grows.server, at=wrong, by="user:1")

    def test_now_is_always_possible_until_it_begins(self, grows: Growing):
        grows.want("plus", now=False)
        PlanChange.objects.update(wanted_at=timezone.now() - timedelta(days=20))
        resizing.set_time(server=grows.server, at=None, by="user:1")
        assert grows.change.at <= timezone.now()

    def test_what_has_begun_or_is_not_wanted_has_no_time(self, grows: Growing):
        with pytest.raises(resizing.CannotChange):
            resizing.set_time(server=grows.server, at=None, by="user:1")
        grows.want("plus")
        grows.at_resize("change_type")
        with pytest.raises(resizing.CannotChange):
            resizing.set_time(server=grows.server, at=None, by="user:1")

    def test_put_off_while_it_is_backed_up_it_does_not_begin(self, grows: Growing):
        grows.want("plus")
        grows.at_resize("begin")
        resizing.set_time(server=grows.server, at=timezone.now() + DAY, by="user:1")
        grows.work()
        assert grows.commands() == []
        assert grows.change.state == State.WAITING

    @pytest.mark.parametrize(
        ("days", "hour", "after", "at"),
        [
            ([0, 1, 2, 3, 4, 5, 6], 3, (2026, 3, 2, 2, 59), (2026, 3, 2, 3)),
            ([0, 1, 2, 3, 4, 5, 6], 3, (2026, 3, 2, 3, 0), (2026, 3, 2, 3)),
            ([0, 1, 2, 3, 4, 5, 6], 3, (2026, 3, 2, 3, 1), (2026, 3, 3, 3)),
            ([6], 23, (2026, 3, 2, 12, 0), (2026, 3, 8, 23)),  # the second is a Monday
            ([0], 0, (2026, 3, 2, 0, 1), (2026, 3, 9, 0)),
            ([], 5, (2026, 12, 31, 6, 0), (2027, 1, 1, 5)),
        ],
    )
    def test_the_next_window(self, days: list[int], hour: int, after: tuple[int, ...], at: tuple[int, ...]):
        server = Server(reboot_days=days, reboot_hour=hour)
        begins = datetime(*after, tzinfo=UTC)  # type: ignore[misc, arg-type]
        assert plan_changes.next_window(server, begins) == datetime(*at, tzinfo=UTC)  # type: ignore[misc, arg-type]
