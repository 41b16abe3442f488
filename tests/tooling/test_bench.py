"""bin/bench prints one line of JSON with both sides of the comparison, or fails."""

import os
import ssl
from pathlib import Path
from typing import Any

import pytest

from bench import mail, mail_host, mail_rates
from devtools import bench
from devtools.paths import ROOT
from devtools.say import Failed
from sandbox.hosts.debian import possible
from sandbox.internet.trust import Trust

LINE = '{"name": "x", "figure": 1.5, "unit": "/s", "yardstick": 1, "ratio": 1.5}'


def test_the_last_line_is_the_figure_and_the_rest_is_progress(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.line_of(f"warming up\n{LINE}\n")["ratio"] == 1.5
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("output", ["", "done\n", '{"name": "x"}\n', f"{LINE}\nbye\n", "[1]\n"])
def test_anything_else_is_a_failure(output: str) -> None:
    with pytest.raises(Failed):
        bench.line_of(output)


def test_the_yardstick_of_mail_installs_what_a_new_server_does() -> None:
    assert "mail" in bench.names()
    assert {"postfix", "dovecot-imapd", "rspamd", "nginx", "certbot"} <= set(mail.packages().split())
    assert "$" not in mail.packages()


@pytest.mark.root
def test_mail_measures_a_server_that_comes_up_rests_and_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if obstacle := possible.why_not(tmp_path):
        pytest.skip(f"skipped: needs root on Linux ({obstacle})")
    monkeypatch.setenv("MAILAT_CACHE", os.environ.get("MAILAT_CACHE") or str(ROOT / "var/cache"))
    monkeypatch.setattr(mail, "REST", 0.0)
    monkeypatch.setattr(mail_rates, "ROUNDS", 1)
    monkeypatch.setattr(mail_rates, "EACH", 5)
    with mail_host.place(tmp_path) as there:
        trusting = ssl.create_default_context(cafile=str(Trust(tmp_path).bundle))
        came = mail.come_up(there, trusting, image=there.image)
        measured: dict[str, Any] = mail.at_rest_and_under_load(there, trusting)

    assert 0 < came.taken <= came.readable <= came.ready
    assert measured["memory_mb"] > 50
    for way in ("lmtp", "imap"):
        assert measured["messages_per_second"][way]["ours"] > 0
        assert measured["messages_per_second"][way]["debian"] > 0
