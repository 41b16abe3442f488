"""Security updates, by Debian's unattended-upgrades: when they come, and that they ask nobody anything."""

from .part import File, Host, Part
from .state import Mail
from .templates import plain

UPDATED, LISTS_UPDATED = "updated", "lists-updated"  # files in Host.home, touched by apt
TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")


def _files(_mail: Mail, host: Host) -> list[File]:
    return [
        File("updates/apt.conf", plain("updates/apt.conf").replace("$home", str(host.home))),
        File("updates/fetch.timer", plain("updates/fetch.timer")),
        File("updates/upgrade.timer", plain("updates/upgrade.timer")),
    ]


PART = Part(
    name="updates",
    files=_files,
    links={
        "/etc/apt/apt.conf.d/52mailat": "updates/apt.conf",
        "/etc/systemd/system/apt-daily.timer.d/mailat.conf": "updates/fetch.timer",
        "/etc/systemd/system/apt-daily-upgrade.timer.d/mailat.conf": "updates/upgrade.timer",
    },
    check=(("apt-config", "dump"),),
    reload=(("systemctl", "restart", *TIMERS),),
)
