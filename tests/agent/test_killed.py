"""Killed at any line and started again, the agent ends where it would have ended."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.agent import control_plane as faults
from tests.agent.control_plane import PATIENCE, ControlPlane
from tests.agent.host import Host

pytestmark = pytest.mark.integration

Run = Callable[[int | None], int]

CRASHER = Path(__file__).with_name("crasher.py")


@pytest.fixture
def run(host: Host) -> Iterator[Run]:
    """One report of the agent, killed at its n-th new line where a number is given; its exit status."""
    command = [sys.executable, str(CRASHER), str(host.agent), str(host.log)]
    crasher = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    tasks, answers = crasher.stdin, crasher.stdout
    assert tasks
    assert answers

    def run(kill_at: int | None) -> int:
        task = {"arguments": [*host.arguments, "--once"], "kill_at": kill_at}
        print(json.dumps(task), file=tasks, flush=True)
        return int(json.loads(answers.readline())["status"])

    yield run
    crasher.kill()
    crasher.wait()


def begin_again(host: Host, control: ControlPlane, number: int) -> None:
    """Another server on another host, nothing left of the one before."""
    control.reset()
    host.canaries |= host.secrets()
    host.home = host.home.parent / f"host-{number}"
    host.config, host.state = host.home / "etc/agent.json", host.home / "state"
    host.be_born()
    control.want(5)


def assert_it_ends_right(host: Host, control: ControlPlane, run: Run) -> None:
    assert [run(None), run(None)] == [0, 0]
    secret = json.loads((host.state / "identity.json").read_text())["secret"]
    assert set(control.bearers) == {f"{control.server}.{secret}"}
    assert len({str(enrolment["key"]) for enrolment in control.enrolments}) == 1
    assert "token" not in host.configured
    assert control.reports[-1]["applied"] == 5
    assert control.reports[-1]["services"].keys() == {"ssh.service", "postfix.service"}
    numbers = [int(report["seq"]) for report in control.reports]
    assert numbers == sorted(set(numbers))
    applied = [int(report["applied"]) for report in control.reports]
    assert applied == sorted(applied)


def test_killed_at_every_line_of_its_first_life(host: Host, control: ControlPlane, run: Run) -> None:
    line, status = 0, -signal.SIGKILL
    while status == -signal.SIGKILL:
        line += 1
        begin_again(host, control, line)
        status = run(line)
        assert_it_ends_right(host, control, run)

    assert status == 0
    assert line > 150  # else the lines were not those of the agent


def test_killed_while_its_enrolment_is_answered(host: Host, control: ControlPlane) -> None:
    control.fail("enrol", host.end)
    with host.running() as process:
        assert process.wait(PATIENCE) == -signal.SIGKILL
    assert (control.key is None, "token" in host.configured) == (False, True)

    assert host.once() == 0

    assert control.enrolments[0] == control.enrolments[1]
    assert "token" not in host.configured


def test_killed_between_the_answer_to_its_enrolment_and_the_end_of_the_token(
    host: Host, control: ControlPlane
) -> None:
    control.fail("report", host.end)
    with host.running() as process:
        assert process.wait(PATIENCE) == -signal.SIGKILL
    assert (len(control.enrolments), "token" in host.configured) == (1, True)

    assert host.once() == 0

    assert "token" not in host.configured


def test_killed_with_an_order_on_its_way_it_is_sent_and_obeyed_again(
    host: Host, control: ControlPlane
) -> None:
    def answer_and_kill(door: faults.Door) -> None:
        door.answer_honestly()
        host.end()

    control.want(5)
    control.fail("report", answer_and_kill)
    with host.running() as process:
        assert process.wait(PATIENCE) == -signal.SIGKILL

    assert [host.once(), host.once()] == [0, 0]

    assert control.reports[-1]["applied"] == 5


def test_killed_over_and_over_it_stays_the_same_agent(host: Host, control: ControlPlane) -> None:
    control.want(5)
    for _ in range(5):
        control.reports.clear()
        with host.running() as process:
            control.wait(lambda: bool(control.reports))
            process.kill()

    assert host.once() == 0
    assert len(set(control.bearers)) == 1
    assert len({str(enrolment["key"]) for enrolment in control.enrolments}) == 1
