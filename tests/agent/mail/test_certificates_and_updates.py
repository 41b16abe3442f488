"""Certificates do not wait for updates, but for a web server that an update has in pieces."""

from pathlib import Path

import pytest

from agent.mailat_agent.mail import packages
from tests.agent.mail.acme_host import HOSTNAME, AcmeHost
from tests.agent.mail.locks import held


def test_nothing_is_ordered_while_an_update_has_the_web_server_in_pieces(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    host = AcmeHost(tmp_path, monkeypatch)
    monkeypatch.setattr(packages, "LOCKS", (tmp_path / "lock",))
    with held(tmp_path / "lock"):
        host.program("dpkg-query", r"printf 'nginx\t1.26\tnginx\tamd64\tiU \n'")
        assert host.turn()[HOSTNAME]["until"] == 0
        assert host.orders() == 0

        host.program("dpkg-query", r"printf 'nginx\t1.26\tnginx\tamd64\tii \nvim\t9\tvim\tamd64\tiU \n'")
        assert host.turn()[HOSTNAME]["names"] == [HOSTNAME]
    host.close()
