"""Two ways up, one result: the plain image with everything installed at first boot, and the image that a machine became."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.two_ways import MACHINE, Way, way

DAEMONS = ("postfix", "dovecot", "nginx", "rspamd", "redis-server", "php8.4-fpm", "postsrsd", "fail2ban")
OF_EACH_HOST = {  # hold its address, its keys and passwords, and the digests of these
    "fail2ban/jail.local",
    "dovecot/dovecot.conf",
    "dovecot/passwords",
    "manifest.json",
}

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ways")


@pytest.fixture(scope="module")
def quick(home: Path) -> Iterator[Way]:
    """Begun with the baked image, its agent heard, and nothing ordered yet."""
    with way(home / "quick") as opened:
        opened.up(from_baked=True)
        yield opened


def test_what_was_baked_asks_apt_for_nothing(quick: Way):
    assert quick.says("sh", "-c", "cat /var/log/apt/history.log").strip() == ""
    assert quick.says("sh", "-c", "ls /var/lib/apt/lists | grep Packages") == ""
    assert quick.says("cloud-init", "status").strip() == "status: done"


def test_no_daemon_runs_with_debians_own_configuration(quick: Way):
    states = quick.says("systemctl", "is-active", *DAEMONS).split()
    assert states == ["inactive"] * len(DAEMONS)
    listening = quick.says("ss", "-Htln").splitlines()
    assert {line.split()[3].rpartition(":")[2] for line in listening} <= {"22"}
    assert quick.says("sh", "-c", "ls /usr/sbin/policy-rc.d /usr/sbin/apache2") == ""


def test_each_machine_has_a_name_and_keys_of_its_own(quick: Way):
    hosts, layer = quick.hosts, Path("layers/0")
    image = hosts._images.folder(900) / layer  # type: ignore[attr-defined]
    assert (image / "etc/machine-id").read_text() == ""
    assert not list((image / "etc/ssh").glob("ssh_host_*"))
    assert not (image / "etc/mailat").exists()
    assert not (image / "usr/local/lib/mailat").exists()
    assert len(quick.says("cat", "/etc/machine-id").strip()) == 32
    assert "ssh_host_ed25519_key" in quick.says("ls", "/etc/ssh")


def test_the_daemons_packages_are_kept_to_go_back_to(quick: Way):
    kept = quick.says("ls", "/var/cache/apt/archives")
    assert all(f"{name}_" in kept for name in ("postfix", "dovecot-core", "rspamd", "nginx"))


def test_both_ways_lead_to_the_same(quick: Way, home: Path):
    quick.order()
    with way(home / "plain") as plain:
        plain.up(from_baked=False)
        plain.order()
        assert quick.packages() == plain.packages()
        mine, others = quick.generation(), plain.generation()
        assert len(mine) > 20
        assert mine.keys() == others.keys()
        assert {path for path in mine if mine[path] != others[path]} <= OF_EACH_HOST


def test_daemons_come_up_by_themselves_when_the_machine_does(quick: Way):
    before = quick.control.reports[-1]["boot_id"]
    quick.hosts.halt(MACHINE)
    quick.hosts.boot(MACHINE, "post.servers.test", quick.address, "")
    quick.control.wait_for_report(lambda report: report["boot_id"] != before)
    assert "inactive" not in quick.says("systemctl", "is-active", *DAEMONS).split()
