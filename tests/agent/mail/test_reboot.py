"""A reboot comes only where an update needs one, in the customer's hours, and once in each of them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.mailat_agent.mail import reboot
from agent.mailat_agent.mail.ledger import Ledger, Trial
from agent.mailat_agent.mail.state import Window

SUNDAY = Window((6,), 23, 4)  # from Sunday 23:00 to Monday 03:00
DAY = 86400.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-11-22 22:59:59", False),
        ("2026-11-22 23:00:00", True),
        ("2026-11-23 00:00:00", True),  # after midnight it is still Sunday's window
        ("2026-11-23 02:59:59", True),
        ("2026-11-23 03:00:00", False),
        ("2026-11-23 23:30:00", False),
    ],
)
def test_a_window_may_pass_midnight(moment: str, inside: bool) -> None:
    start = reboot.window_start(SUNDAY, at(moment))
    assert start == (at("2026-11-22 23:00:00") if inside else None)


def test_a_customer_who_chose_no_day_is_never_rebooted() -> None:
    assert not [hour for hour in range(24 * 7) if reboot.window_start(Window((), 3, 24), hour * 3600.0)]


def test_the_whole_week_may_be_allowed() -> None:
    always = Window(tuple(range(7)), 0, 24)
    assert all(reboot.window_start(always, DAY * 20000 + hour * 3600.0) for hour in range(24 * 7))


def kernels(place: Path, *names: str) -> Path:
    for name in names:
        (place / f"vmlinuz-{name}").touch()
    return place


NOW = "6.12.48+deb13-cloud-amd64"


@pytest.mark.parametrize(
    ("other", "needed"),
    [
        ("6.12.9+deb13-cloud-amd64", False),
        ("6.12.100+deb13-cloud-amd64", True),
        ("6.12.48+deb13.1-cloud-amd64", True),
        ("6.13.0+deb13-amd64", False),  # another flavour, which nobody boots
        ("6.12.48+deb13-cloud-amd64", False),
    ],
)
def test_a_newer_kernel_of_the_same_kind_needs_a_reboot(tmp_path: Path, other: str, needed: bool) -> None:
    assert reboot.needed(tmp_path / "required", kernels(tmp_path, NOW, other), NOW) == needed


def test_a_kernel_that_is_not_this_machines_says_nothing(tmp_path: Path) -> None:
    assert not reboot.needed(tmp_path / "required", kernels(tmp_path, "9.9.9-cloud-amd64"), NOW)


def test_what_an_update_asks_for_is_heard(tmp_path: Path) -> None:
    (tmp_path / "required").touch()
    assert reboot.needed(tmp_path / "required", tmp_path, NOW)


@pytest.mark.parametrize(
    ("ahead", "sane"), [(-2 * 3600.0, False), (-60.0, True), (3 * DAY, True), (9 * DAY, False)]
)
def test_a_clock_that_apts_lists_contradict_chooses_no_hour(
    ahead: float, sane: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reboot, "_synchronized", lambda: True)
    assert reboot.clock_is_sane(1e9 + ahead, 1e9) == sane


def test_without_any_list_the_hour_is_unknown() -> None:
    assert not reboot.clock_is_sane(1e9, None)


@pytest.fixture
def ordered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands given, on a host that needs a reboot and whose clock is right."""
    given: list[tuple[str, ...]] = []

    def note(*command: str) -> str:
        assert Ledger.read(tmp_path).rebooted, "it is written down before it is done"
        given.append(command)
        return ""

    monkeypatch.setattr(reboot, "_output", note)
    monkeypatch.setattr(reboot, "needed", lambda: True)
    monkeypatch.setattr(reboot, "clock_is_sane", lambda now, release: True)
    monkeypatch.setattr(reboot.packages, "busy", lambda: False)
    return given


def test_it_reboots_once_in_a_window_whatever_happens_to_the_agent(
    ordered: list[tuple[str, ...]], tmp_path: Path
) -> None:
    for moment in ("2026-11-22 20:00", "2026-11-22 23:10", "2026-11-22 23:20", "2026-11-23 02:00"):
        reboot.consider(Ledger.read(tmp_path), SUNDAY, tmp_path, at(moment))
    assert ordered == [("systemctl", "reboot")]

    reboot.consider(Ledger.read(tmp_path), SUNDAY, tmp_path, at("2026-11-29 23:10"))
    assert len(ordered) == 2


def test_never_while_an_update_is_under_test(ordered: list[tuple[str, ...]], tmp_path: Path) -> None:
    testing = Ledger(trial=Trial(0.0, {}, {}, []))
    assert not reboot.consider(testing, SUNDAY, tmp_path, at("2026-11-22 23:10"))
    assert ordered == []


def test_never_while_somebody_installs_something(
    ordered: list[tuple[str, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reboot.packages, "busy", lambda: True)
    assert not reboot.consider(Ledger(), SUNDAY, tmp_path, at("2026-11-22 23:10"))


def test_a_host_that_came_back_knows_that_it_was_away() -> None:
    assert reboot.came_back(Ledger(boot="another boot"))
    assert not reboot.came_back(Ledger())
    assert not reboot.came_back(Ledger(boot=reboot.boot_id()))


def test_the_time_of_the_boot_is_the_kernels(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("cpu  1 2 3\nbtime 1795270000\nprocesses 3\n")
    assert reboot.booted_at(tmp_path / "stat") == 1795270000
    assert reboot.booted_at(tmp_path / "absent") == 0
