"""What is sold fits on the disk that comes with it."""

import pytest

from sandbox.hetzner import catalog
from servers.plans import PLACES, PLANS, Place, Plan

ROOTS_SHARE = 0.05  # of a file system, which nobody else can fill (mke2fs(8))
SYSTEM = 5 * 10**9  # bytes of packages and of a journal as long as it can be


@pytest.mark.parametrize("plan", PLANS.values(), ids=lambda plan: plan.key)
def test_mailboxes_that_are_all_full_leave_room_for_the_system(plan: Plan) -> None:
    whole = plan.disk_gb * 10**9

    assert plan.mail_bytes + SYSTEM < whole * (1 - ROOTS_SHARE)


@pytest.mark.parametrize("plan", PLANS.values(), ids=lambda plan: plan.key)
def test_each_mailbox_of_a_plan_can_have_more_than_half_a_gigabyte(plan: Plan) -> None:
    assert plan.mail_bytes / plan.mailboxes > 500 * 10**6


@pytest.mark.parametrize("place", PLACES.values(), ids=lambda place: place.key)
@pytest.mark.parametrize(("before", "after"), [("basic", "plus"), ("plus", "pro"), ("basic", "pro")])
def test_each_machine_of_a_plan_can_become_one_of_a_larger_plan(
    place: Place, before: str, after: str
) -> None:
    """Hetzner shrinks no disk, and changes no machine to what it is."""
    now = PLANS[before].types[place.region]
    then = [catalog.machine_type(one) for one in PLANS[after].types[place.region]]
    for one in map(catalog.machine_type, now):
        assert one in then or any(
            kind.disk >= one.disk and kind.architecture == one.architecture and place.key in kind.places
            for kind in then
        )
