"""The disk of one real Debian host becomes the beginning of others."""

import pathlib
import shutil

import pytest

from sandbox.hosts import HostsUnavailable, choose
from sandbox.hosts.debian import image, possible
from tests.sandbox.hosts.test_debian import ControlPlane, _image_is_kept  # noqa: F401

ABOUT = {"labels": {}, "created": "2026-11-20T03:00:00+00:00", "server_name": "first"}

pytestmark = pytest.mark.root


@pytest.fixture
def control():
    running = ControlPlane()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def open_hosts(tmp_path, control):
    """Opens hosts in a home of that name; all are closed in the end."""
    if obstacle := possible.why_not(tmp_path):
        pytest.skip(f"no Debian host can run here: {obstacle}")
    opened = []

    def open_in(home):
        hosts = choose("debian", tmp_path / home, control.port, on_log=lambda text: None)
        opened.append(hosts)
        try:
            hosts.prepare()
        except HostsUnavailable as problem:
            pytest.skip(f"no Debian host can be prepared here: {problem}")
        return hosts

    yield open_in
    for hosts in opened:
        hosts.close()


@pytest.fixture
def cache_of_our_own(tmp_path, monkeypatch):
    """The plain image is the one that all runs share; what is remembered here is not."""
    shared = image.cache(tmp_path)
    image.ensure(tmp_path, lambda text: None)
    own = tmp_path / "cache"
    (own / "hosts").mkdir(parents=True)
    (own / "hosts" / f"trixie-{image.recipe()}").symlink_to(shared / f"trixie-{image.recipe()}")
    monkeypatch.setenv("MAILAT_CACHE", str(own))


def leaves(hosts, control, *, word: str, off: bool = True) -> str:
    """User data of a host that tells what it finds, leaves a word for those that begin with its disk, and turns itself off."""
    url = f"http://{hosts.address_of_control}:{control.port}"
    end = "- systemd-run --no-block -p After=cloud-final.service sh -c 'cloud-init clean --logs --seed; poweroff'\n"
    return (
        "#cloud-config\nruncmd:\n"
        f"- 'curl -s -d \"$(hostname): $(cat /srv/words) $(ls /usr/bin/less)\" {url}/found'\n"
        f"- 'echo {word} >>/srv/words; rm -f /usr/bin/less; truncate -s 0 /etc/machine-id'\n" + end * off
    )


def boot(hosts, number: int, name: str, data: str, image: int | None = None) -> None:
    hosts.boot(number, name, str(hosts.network[number]), data, image)


def snapshot_of_a_first_host(hosts, control, until, **about) -> None:
    boot(hosts, 11, "first", leaves(hosts, control, word="one"))
    until(lambda: not hosts.alive(11))
    assert hosts.snapshot(11, 501, {**ABOUT, **about}) > 0


def test_a_host_begins_where_another_ended_and_a_third_where_that_one_did(open_hosts, control, until):
    hosts = open_hosts("home")
    snapshot_of_a_first_host(hosts, control, until)
    hosts.stop(11)
    boot(hosts, 12, "second", leaves(hosts, control, word="two"), image=501)
    until(lambda: not hosts.alive(12))
    hosts.snapshot(12, 502, ABOUT)
    boot(hosts, 13, "third", leaves(hosts, control, word="three", off=False), image=502)
    until(lambda: len(control.heard) == 3)
    assert control.heard == [
        "/found first:  /usr/bin/less",
        "/found second: one ",
        "/found third: one\ntwo ",
    ]


def test_a_host_lives_on_when_what_it_began_with_is_deleted(open_hosts, control, until, tmp_path):
    hosts = open_hosts("home")
    snapshot_of_a_first_host(hosts, control, until)
    boot(hosts, 12, "second", leaves(hosts, control, word="two", off=False), image=501)
    until(lambda: len(control.heard) == 2)
    hosts.forget_image(501)
    hosts.halt(12)
    boot(hosts, 12, "second", "", image=501)
    assert hosts.alive(12)
    hosts.stop(12)
    assert list((tmp_path / "home/debian/images").iterdir()) == []
    with pytest.raises(OSError, match="501"):
        boot(hosts, 14, "late", leaves(hosts, control, word="none"), image=501)


@pytest.mark.usefixtures("cache_of_our_own")
def test_a_snapshot_with_labels_is_found_by_another_home_and_stays_its_own(
    open_hosts, control, until, tmp_path
):
    labels = {"image": "mail", "version": "1"}
    first = open_hosts("first")
    snapshot_of_a_first_host(first, control, until, labels=labels)
    second = open_hosts("second")
    ((key, about),) = second.remembered().items()
    assert (about["labels"], about["server_name"]) == (labels, "first")
    assert second.adopt(key, 777)
    assert not second.adopt("trixie-of-nobody", 778)
    shutil.rmtree(tmp_path / "cache/hosts/images")
    assert second.remembered() == {}
    boot(second, 12, "second", leaves(second, control, word="two", off=False), image=777)
    until(lambda: len(control.heard) == 2)
    assert control.heard[1] == "/found second: one "


@pytest.mark.usefixtures("cache_of_our_own")
def test_of_the_same_labels_the_latest_is_remembered_and_of_all_a_few(open_hosts, control, until, tmp_path):
    hosts = open_hosts("home")
    boot(hosts, 11, "first", leaves(hosts, control, word="one"))
    until(lambda: not hosts.alive(11))
    for day, version in enumerate("112345", start=10):
        created = f"2026-11-{day}T03:00:00+00:00"
        hosts.snapshot(11, 500 + day, {**ABOUT, "labels": {"version": version}, "created": created})
    remembered = {about["labels"]["version"]: about["created"][8:10] for about in hosts.remembered().values()}
    assert remembered == {"2": "12", "3": "13", "4": "14", "5": "15"}


def test_a_press_of_the_button_turns_a_host_off(open_hosts, control, until):
    hosts = open_hosts("home")
    boot(hosts, 11, "first", leaves(hosts, control, word="one", off=False))
    until(lambda: control.heard)
    hosts.shutdown(11)
    until(lambda: not hosts.alive(11))


def test_what_the_sandbox_laid_there_does_not_go_on_to_others(open_hosts, control, until, tmp_path):
    hosts = open_hosts("home")
    snapshot_of_a_first_host(hosts, control, until)
    layer = pathlib.Path(tmp_path / "home/debian/images/501/layers/0")
    assert (layer / "srv/words").read_text() == "one\n"
    for name in ("etc/resolv.conf", "etc/hostname", "etc/apt/sources.list", "var/lib/cloud/seed"):
        assert not (layer / name).exists()
    assert not list((layer / "usr/local/share/ca-certificates").glob("*"))
    assert not [one for one in (layer / "etc/ssl/certs").glob("*") if one.is_symlink()]
