"""What the agent asks of its host and does to it, and to no other."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.mailat_agent import apply, services
from agent.mailat_agent.mail import state
from agent.mailat_agent.mail.apply import Key, MailSystem
from agent.mailat_agent.orders import Order
from tests.agent.orders import mail

SYSTEM = MailSystem(Key("0d6a1b0e-6c0f-4f6e-9d0b-2f7a40a3a111", X25519PrivateKey.generate()))
ORDER = Order(3, "", "alice.mailat.test", ("a.service", "b.service"), 60.0, "")


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with systemd, whose systemctl is a script that a test writes."""
    monkeypatch.setattr(services, "SYSTEMD", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "systemctl"


def answer(systemctl: Path, script: str) -> dict[str, str]:
    systemctl.write_text(f"#!/bin/sh\n{script}\n")
    systemctl.chmod(0o755)
    return services.states(("a.service", "b.service"))


def test_states_of_services_come_in_one_call(systemd: Path) -> None:
    script = f'echo "$@" >> {systemd.parent}/asked; echo active; echo failed; exit 3'

    assert answer(systemd, script) == {"a.service": "active", "b.service": "failed"}
    assert (systemd.parent / "asked").read_text() == "is-active -- a.service b.service\n"


@pytest.mark.parametrize(
    ("said", "meant"),
    [("activating", "inactive"), ("reloading", "active"), ("unknown", "unknown"), ("inactive", "inactive")],
)
def test_states_are_four(systemd: Path, said: str, meant: str) -> None:
    assert answer(systemd, f"echo {said}; echo active") == {"a.service": meant, "b.service": "active"}


@pytest.mark.parametrize(
    "script", ["exit 1", "echo active", "echo Failed to connect to bus", "exec sleep 60"]
)
def test_states_that_systemd_does_not_say_are_unknown(
    systemd: Path, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "PATIENCE", 0.3)

    assert set(answer(systemd, script).values()) == {"unknown"}


def test_where_there_is_no_systemd_nobody_is_asked(systemd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "SYSTEMD", str(systemd.parent / "nowhere"))

    assert set(answer(systemd, "echo active; echo active").values()) == {"unknown"}


def test_nothing_watched_is_nothing_asked(systemd: Path) -> None:
    assert services.states(()) == {}


class Naming:
    """A host whose name may be changed without harm, because it is none."""

    def __init__(self, place: Path, patch: pytest.MonkeyPatch) -> None:
        self.name, self.file, self.cgroup = "debian", place / "hostname", place / "cgroup"
        self.file.write_text("debian\n")
        self.cgroup.write_text("0::/system.slice/mailat-agent.service\n")
        patch.setattr(apply, "HOSTNAME", self.file)
        patch.setattr(apply, "CGROUP", self.cgroup)
        patch.setattr("os.geteuid", lambda: 0)
        patch.setattr("socket.gethostname", lambda: self.name)
        patch.setattr("socket.sethostname", self.rename)

    def rename(self, name: str) -> None:
        self.name = name


@pytest.fixture
def naming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Naming:
    return Naming(tmp_path, monkeypatch)


def test_a_host_of_its_own_is_named_now_and_for_later(naming: Naming) -> None:
    assert apply.apply(ORDER, SYSTEM) == []

    assert (naming.name, naming.file.read_text()) == ("alice.mailat.test", "alice.mailat.test\n")
    assert naming.file.stat().st_mode & 0o777 == 0o644


def test_a_host_named_halfway_is_named_wholly(naming: Naming) -> None:
    naming.name = ORDER.hostname

    assert apply.apply(ORDER, SYSTEM) == []

    assert naming.file.read_text() == "alice.mailat.test\n"


@pytest.mark.parametrize("cgroup", ["0::/user.slice\n", "0::/system.slice/not-mailat-agent.service\n", ""])
def test_a_host_of_somebody_else_keeps_its_name(naming: Naming, cgroup: str) -> None:
    naming.cgroup.write_text(cgroup)

    assert apply.apply(ORDER, SYSTEM) == [{"what": "hostname", "why": "not run by mailat-agent.service"}]
    assert naming.name == "debian"


def test_who_is_not_root_names_nothing(naming: Naming, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert apply.apply(ORDER, SYSTEM) == [{"what": "hostname", "why": "not root"}]


def test_a_name_that_the_kernel_refuses_is_not_written_either(
    naming: Naming, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_name: str) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("socket.sethostname", refuse)

    assert apply.apply(ORDER, SYSTEM) == [
        {"what": "hostname", "why": "refused by the system: Operation not permitted"}
    ]
    assert naming.file.read_text() == "debian\n"


def test_a_host_of_somebody_else_gets_no_mail_system(naming: Naming) -> None:
    naming.cgroup.write_text("0::/user.slice\n")
    order = Order(3, "", naming.name, (), 60.0, "", state.read(mail()))
    naming.file.write_text(f"{naming.name}\n")

    assert apply.apply(order, SYSTEM) == [{"what": "mail", "why": "not run by mailat-agent.service"}]
    assert SYSTEM.report() is None


def test_a_fault_in_one_part_of_an_order_is_said_and_keeps_no_other_from_being_done(
    naming: Naming, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_order: object, _system: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(apply, "HANDLERS", {"first": stumble, **apply.HANDLERS})

    (undone,) = apply.apply(ORDER, SYSTEM)

    assert undone["what"] == "first"
    assert undone["why"].startswith("unexpected KeyError in test_host.py:")
    assert naming.name == "alice.mailat.test"
