"""Where there is no host, the real agent runs and its mail system is only pretended: who waits for an answer gets one."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.hosts import pretended
from tests.agent.control_plane import ControlPlane
from tests.agent.host import Host
from tests.agent.mail.small_post import RELAY
from tests.agent.orders import mail

pytestmark = pytest.mark.integration
ASKED = {"id": "0d6a1b0e-6c0f-4f6e-9d0b-2f7a40a3a111", "to": "carol@outside.test", "from": "alice@firm.test"}


class Pretending(Host):
    """A server of the sandbox that is a process."""

    def _command(self, *more: str) -> list[str]:
        return [self.python, str(Path(pretended.__file__)), *super()._command(*more)[1:]]


@pytest.mark.parametrize(("relay", "codes"), [(RELAY, [250]), (None, [])])
def test_a_test_mail_is_answered_where_there_is_a_way_out(
    tmp_path: Path, agent: Path, control: ControlPlane, relay: Any, codes: list[int]
) -> None:
    host = Pretending(tmp_path, agent, control)
    control.want(1, mail=mail(relay=relay, letters=[ASKED]))
    assert [host.once(), host.once()] == [0, 0]
    told = control.reports[-1]["mail"]["letters"]
    assert [one["code"] for one in told] == codes
    assert all(one["id"] == ASKED["id"] and "only pretended" in one["answer"] for one in told)
