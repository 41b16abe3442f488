"""The built agent as a process, against a control plane that behaves."""

import base64
import hashlib
import json
import platform
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from agent.mailat_agent import __version__
from tests.agent.control_plane import PATIENCE, ControlPlane
from tests.agent.host import Host

pytestmark = pytest.mark.integration

DEBIAN = "/usr/bin/python3"

NUMBERS = {"mem_used", "mem_total", "swap_used", "disk_used", "disk_total", "load1", "uptime"}
RATES = {"cpu", "net_rx", "net_tx"}
SAID = {
    "at",
    "seq",
    "agent",
    "applied",
    "refused",
    "undone",
    "boot_id",
    "services",
    "mail",
    "backup",
    "canary_seconds",
}
FIELDS = NUMBERS | RATES | SAID


def test_it_enrols_once_with_a_key_of_its_own(host: Host, control: ControlPlane) -> None:
    assert [host.once(), host.once()] == [0, 0]

    (enrolment,) = control.enrolments
    secret = json.loads((host.state / "identity.json").read_text())["secret"]
    assert enrolment["key"] == hashlib.sha256(secret.encode()).hexdigest()
    assert len(base64.b64decode(str(enrolment["seal_key"]))) == 32
    assert enrolment["facts"] == {
        "os": platform.freedesktop_os_release()["PRETTY_NAME"],
        "kernel": platform.release(),
        "agent_version": __version__,
    }
    assert control.bearers == [f"{control.server}.{secret}"] * 2
    assert secret not in json.dumps(control.enrolments + control.reports)


def test_the_token_leaves_the_configuration_and_the_rest_stays(host: Host, control: ControlPlane) -> None:
    before = host.configured

    host.once()

    assert before.pop("token") == control.token
    assert host.configured == before
    assert control.token not in "".join(path.read_text() for path in host.config.parent.iterdir())


def test_what_it_keeps_is_for_its_own_eyes(host: Host, control: ControlPlane) -> None:
    control.want(1)

    host.once()

    assert stat.S_IMODE(host.state.stat().st_mode) == 0o700
    kept = [host.config, *(host.state / name for name in ("identity.json", "desired.json", "sequence"))]
    assert [stat.S_IMODE(path.stat().st_mode) for path in kept] == [0o600] * 4


def test_a_report_has_every_field_in_its_unit(host: Host, control: ControlPlane) -> None:
    control.want(1)
    with host.running():
        control.wait(lambda: len(control.reports) >= 3)
    report = control.reports[2]

    assert report.keys() == FIELDS
    assert all(isinstance(report[name], int | float) and report[name] >= 0 for name in NUMBERS | RATES)
    assert report["cpu"] <= 100
    assert report["mem_used"] < report["mem_total"]
    assert report["mem_total"] > 2**26  # bytes, not the kernel's KiB
    assert report["disk_used"] <= report["disk_total"]
    assert report["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert abs(report["at"] - time.time()) < PATIENCE
    assert report["agent"] == __version__
    assert report["services"].keys() == {"ssh.service", "postfix.service"}


def test_the_first_report_claims_no_rates(host: Host, control: ControlPlane) -> None:
    host.once()

    assert [control.reports[0][name] for name in sorted(RATES)] == [None, None, None]


def test_numbers_of_reports_grow_over_restarts(host: Host, control: ControlPlane) -> None:
    for _ in range(3):
        host.once()

    numbers = [report["seq"] for report in control.reports]
    assert numbers == sorted(set(numbers))


def test_a_signed_order_is_obeyed_and_said_to_be_at_once(host: Host, control: ControlPlane) -> None:
    control.poll = 300
    control.want(7, poll_max=300)

    with host.running():
        done = control.wait_for_report(lambda report: report["applied"] == 7)

    assert done["refused"] is None
    assert done["services"].keys() == {"ssh.service", "postfix.service"}
    assert [report["applied"] for report in control.reports] == [0, 7]


def test_started_by_hand_it_leaves_the_name_of_the_machine_alone_and_says_so(
    host: Host, control: ControlPlane
) -> None:
    name = platform.node()
    control.want(1)

    assert [host.once(), host.once()] == [0, 0]

    assert platform.node() == name
    assert [undone["what"] for undone in control.reports[1]["undone"]] == ["hostname"]
    assert control.reports[1]["applied"] == 1


def test_an_order_outlives_a_restart_and_an_older_one_stays_refused(
    host: Host, control: ControlPlane
) -> None:
    control.want(5)
    host.once()
    control.desire(control.signer.order(control.server, 4))

    with host.running():
        said = control.wait_for_report(lambda report: report["refused"] is not None)

    assert said["refused"] == {"version": 4, "why": "not newer than what is applied"}
    assert {report["applied"] for report in control.reports[1:]} == {5}


def test_a_deleted_server_ends_the_agent_for_good(host: Host, control: ControlPlane) -> None:
    host.once()
    control.gone = True

    with host.running() as process:
        assert process.wait(PATIENCE) == 0

    asked = len(control.requests)
    assert host.once() == 0
    assert len(control.requests) == asked


def test_a_server_deleted_before_it_enrolled_ends_the_agent_too(host: Host, control: ControlPlane) -> None:
    control.gone = True

    assert [host.once(), host.once()] == [0, 0]

    assert (len(control.enrolments), len(control.reports)) == (1, 0)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_ends(host: Host, control: ControlPlane, how: signal.Signals) -> None:
    control.poll = 300
    with host.running() as process:
        control.wait(lambda: len(control.reports) >= 1)
        process.send_signal(how)
        assert process.wait(PATIENCE) == 0


def test_asked_to_end_while_nobody_answers_it_ends(host: Host, control: ControlPlane) -> None:
    control.fail("report", lambda _door: host.end(how=signal.SIGTERM))

    with host.running() as process:
        assert process.wait(PATIENCE) == 0


def test_a_second_agent_on_the_same_state_does_not_start(host: Host, control: ControlPlane) -> None:
    with host.running():
        control.wait(lambda: len(control.reports) >= 1)
        assert host.once() == 3


def test_it_runs_on_debians_own_python(host: Host, control: ControlPlane) -> None:
    has = subprocess.run([DEBIAN, "-c", "import cryptography"], capture_output=True, check=False)
    if has.returncode:
        pytest.skip("Debian's python3 with python3-cryptography is not installed here")
    host.python = DEBIAN
    control.want(1)

    assert [host.once(), host.once()] == [0, 0]

    assert control.reports[1]["applied"] == 1
