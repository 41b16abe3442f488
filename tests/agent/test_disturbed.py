"""What comes from outside may be forged, broken, late or not come at all: the agent says so and lives on."""

import json
import socket

import pytest

from agent.mailat_agent import metrics
from agent.mailat_agent.config import load
from agent.mailat_agent.loop import Agent
from agent.mailat_agent.metrics import Sample
from tests.agent import control_plane as faults
from tests.agent.control_plane import ControlPlane, Fault
from tests.agent.host import Host
from tests.agent.orders import Signer

pytestmark = pytest.mark.integration

DEEP = b"[" * 100_000
BROKEN: dict[str, Fault] = {
    "HTTP 500": faults.status(500),
    "HTTP 503 with a page": faults.status(503, b"<html>later</html>"),
    "HTTP 404": faults.status(404),
    "another good status": faults.status(204, b""),
    "no answer": faults.lost,
    "half an answer": faults.cut,
    "an endless answer": faults.endless,
    "no HTTP": faults.gibberish,
    "no JSON": faults.body(b"<html>hello</html>"),
    "no UTF-8": faults.body(b'{"poll": "\xff"}'),
    "no object": faults.body(b"[1]"),
    "nothing": faults.body(b""),
    "deep JSON": faults.body(DEEP),
    "deep JSON in an object": faults.body(b'{"poll":' + DEEP),
    "an echo of the secret": faults.echo,
}
ODD: dict[str, bytes] = {
    "no fields": b"{}",
    "a poll that is no number": b'{"poll": "soon"}',
    "a poll that is not a number": b'{"poll": NaN}',
    "a poll without end": b'{"poll": Infinity}',
    "a poll of the past": b'{"poll": -1}',
    "a poll that is a list": b'{"poll": [1]}',
    "a poll of very many digits": b'{"poll": 1' + b"0" * 4000 + b"}",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_answer_to_a_report_is_survived(host: Host, control: ControlPlane, name: str) -> None:
    host.once()
    control.fail("report", BROKEN[name])

    assert [host.once(), host.once()] == [1, 0]


@pytest.mark.parametrize("name", BROKEN)
def test_after_a_broken_answer_to_its_enrolment_it_asks_again_with_the_same_key(
    host: Host, control: ControlPlane, name: str
) -> None:
    control.fail("enrol", BROKEN[name])

    assert [host.once(), host.once()] == [1, 0]

    first, second = control.enrolments
    assert first == second
    assert "token" not in host.configured


@pytest.mark.parametrize("name", ODD)
def test_an_odd_pace_is_survived(host: Host, control: ControlPlane, name: str) -> None:
    control.fail("enrol", faults.body(ODD[name]))
    control.fail("report", faults.body(ODD[name]))

    assert [host.once(), host.once()] == [0, 0]


def test_an_unreadable_answer_is_said_in_the_next_report(host: Host, control: ControlPlane) -> None:
    control.fail("report", BROKEN["no JSON"], BROKEN["HTTP 500"])

    with host.running():
        control.wait(lambda: len(control.reports) >= 4)

    said = {"version": 0, "why": "the answer was not JSON"}
    assert [report["refused"] for report in control.reports[:4]] == [None, said, said, None]


def test_rates_cover_a_silence_and_begin_anew_after_it(
    host: Host, control: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters = [(0.0, 0), (10.0, 100), (20.0, 300), (30.0, 300), (40.0, 350)]
    samples = iter([Sample(clock, None, {"eth0": (octets, octets)}) for clock, octets in counters])
    monkeypatch.setattr(metrics, "sample", lambda: next(samples))
    control.fail("report", faults.Door.answer_honestly, faults.lost)
    host.state.mkdir()
    agent = Agent(load(host.config), host.state)

    for _ in counters[1:]:
        agent.turn()

    assert [report["net_rx"] for report in control.reports] == [10.0, 20.0, 10.0, 5.0]


def test_an_agent_that_finds_nobody_waits_and_enrols_when_somebody_is_there(
    host: Host, control: ControlPlane
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens there
        host.be_born(control=f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert host.once() == 1
    assert "no connection: Connection refused" in host.said()

    host.be_born()

    assert host.once() == 0
    assert len(control.enrolments) == 1


def test_the_same_process_comes_back_after_many_failures(host: Host, control: ControlPlane) -> None:
    control.fail("enrol", faults.status(500), faults.lost)
    control.fail("report", faults.lost)

    with host.running():
        control.wait(lambda: len(control.reports) >= 2)

    assert len({json.dumps(enrolment) for enrolment in control.enrolments}) == 1
    assert len(control.enrolments) == 3


def test_a_token_used_by_somebody_else_is_no_way_in(host: Host, control: ControlPlane) -> None:
    control.key = "f" * 64

    assert host.once() == 1

    assert host.configured["token"] == control.token
    assert "enrolment refused: the answer was HTTP 403" in host.said()


def test_an_agent_that_is_known_needs_no_second_enrolment(host: Host, control: ControlPlane) -> None:
    host.once()
    host.be_born()
    control.fail("enrol", faults.status(403))

    assert host.once() == 0

    assert "token" not in host.configured


def test_a_control_plane_that_forgot_the_enrolment_is_told_again(host: Host, control: ControlPlane) -> None:
    def forget(door: faults.Door) -> None:
        control.key = None
        door.answer_honestly()

    control.fail("enrol", forget)

    with host.running():
        control.wait(lambda: len(control.enrolments) >= 2 and "token" not in host.configured)


def test_an_agent_without_token_that_is_unknown_keeps_asking_and_invents_nothing(
    host: Host, control: ControlPlane
) -> None:
    host.once()
    before = (host.state / "identity.json").read_text()
    control.key = "f" * 64

    assert [host.once(), host.once()] == [1, 1]

    assert (host.state / "identity.json").read_text() == before
    assert len(control.enrolments) == 1


def test_a_redirect_is_not_followed(host: Host, control: ControlPlane) -> None:
    elsewhere = ControlPlane()
    for code in (301, 302, 307, 308):
        control.fail("report", faults.status(code, Location=f"{elsewhere.url}/agent/v1/report"))
        assert host.once() == 1
    elsewhere.close()

    assert elsewhere.requests == []
    assert host.once() == 0


def test_a_proxy_of_the_environment_is_not_asked(host: Host, control: ControlPlane) -> None:
    proxy = ControlPlane()
    host.environment = dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"), proxy.url)

    assert host.once() == 0
    proxy.close()

    assert proxy.requests == []


def test_bad_orders_are_refused_and_said_and_a_good_one_still_obeyed(
    host: Host, control: ControlPlane
) -> None:
    server, signer = control.server, control.signer
    bad: list[tuple[object, int, str]] = [
        (Signer(name=signer.name).order(server, 9), 9, "bad signature"),
        ({**signer.order(server, 9), "key": "2020-z"}, 9, "unknown key"),
        (signer.order("00000000-0000-4000-8000-000000000000", 9), 9, "for another server"),
        ({"body": 5}, 0, "malformed order"),
    ]
    for order, _, _ in bad:
        control.fail("report", faults.body(json.dumps({"poll": 1, "desired": order}).encode()))
    control.want(9)
    control.poll = 300  # so that none comes after the one that is waited for

    with host.running():
        control.wait_for_report(lambda report: report["applied"] == 9)

    refusals = [{"version": version, "why": why} for _, version, why in bad]
    assert [report["refused"] for report in control.reports] == [None, *refusals, None]
    assert [report["applied"] for report in control.reports] == [0, 0, 0, 0, 0, 9]


def test_a_damaged_order_on_disk_is_asked_for_again(host: Host, control: ControlPlane) -> None:
    control.want(3)
    host.once()
    (host.state / "desired.json").write_bytes(b"\xff\x00")

    assert [host.once(), host.once()] == [0, 0]

    assert [report["applied"] for report in control.reports] == [0, 0, 3]


def test_an_order_that_the_disk_does_not_take_is_refused(host: Host, control: ControlPlane) -> None:
    (host.state / ".desired.json.new").mkdir(parents=True)
    control.want(3)

    with host.running():
        said = control.wait_for_report(lambda report: report["refused"] is not None)

    assert said["refused"] == {"version": 3, "why": "cannot be stored: Is a directory"}
    assert said["applied"] == 0


@pytest.mark.parametrize("contents", ["", "{}", '{"secret": "abc", "seal": "abc"}', "[]", '{"secret": 1}'])
def test_a_damaged_identity_ends_it_with_a_clear_word(
    host: Host, control: ControlPlane, contents: str
) -> None:
    host.state.mkdir()
    (host.state / "identity.json").write_text(contents)

    assert host.once() == 2

    assert "identity.json is damaged" in host.said()
    assert control.requests == []
