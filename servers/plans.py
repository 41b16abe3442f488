"""What can be bought and where: plain data that the pages, the programs and the tests read."""

from dataclasses import dataclass
from datetime import timedelta

# Of each disk ext4 takes 1.6 % for its tables (mke2fs(8): an inode of 256 bytes for each 16 KiB) and keeps 5 % for root.
USABLE_PERCENT = 93
# Bytes for the system: 1.5 GB of packages, the journal's at most 4 GB (journald.conf(5)), and what waits in the queue.
SYSTEM = 6 * 10**9


@dataclass(frozen=True)
class Plan:
    """`price` in US dollars a month; `types` by region, in the order in which they are tried."""

    key: str
    name: str
    price: int
    mailboxes: int
    disk_gb: int
    memory_gb: int
    backups_kept: timedelta
    types: dict[str, tuple[str, ...]]

    @property
    def mail_bytes(self) -> int:
        """What all mailboxes together may hold, so that full ones do not fill the disk."""
        return self.disk_gb * 10**7 * USABLE_PERCENT - SYSTEM


@dataclass(frozen=True)
class Place:
    """A location of Hetzner's; machine types differ by region."""

    key: str
    city: str
    country: str
    region: str


PLANS = {
    plan.key: plan
    for plan in (
        Plan(
            "basic", "Basic", 19, 10, 40, 4, timedelta(hours=24),
            {"eu": ("cx23", "cpx22"), "us": ("cpx21", "cpx31"), "sin": ("cpx22", "cpx32")},
        ),
        Plan(
            "plus", "Plus", 39, 50, 80, 8, timedelta(days=7),
            {"eu": ("cx33", "cpx32"), "us": ("cpx31", "ccx13"), "sin": ("cpx32", "ccx13")},
        ),
        Plan(
            "pro", "Pro", 79, 200, 160, 16, timedelta(days=30),
            {"eu": ("cx43", "cpx42"), "us": ("cpx41", "ccx23"), "sin": ("cpx42", "ccx23")},
        ),
    )
}  # fmt: skip

PLACES = {
    place.key: place
    for place in (
        Place("fsn1", "Falkenstein", "Germany", "eu"),
        Place("nbg1", "Nuremberg", "Germany", "eu"),
        Place("hel1", "Helsinki", "Finland", "eu"),
        Place("ash", "Ashburn, Virginia", "United States", "us"),
        Place("hil", "Hillsboro, Oregon", "United States", "us"),
        Place("sin", "Singapore", "Singapore", "sin"),
    )
}


def machine_types(plan: str, place: str) -> tuple[str, ...]:
    """The machine types that serve this plan at this place, the preferred one first."""
    return PLANS[plan].types[PLACES[place].region]
