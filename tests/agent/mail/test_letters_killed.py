"""Killed at any line, the agent never hands a test mail in twice, and always tells something of it."""

from pathlib import Path

import pytest

from agent.mailat_agent.mail import letters
from agent.mailat_agent.mail.part import Host
from tests.agent.crasher import is_killed
from tests.agent.mail.small_post import Post, asking
from tests.agent.mail.test_letters import NO_SIGN_IN, ONE, host, post, told

__all__ = ["host", "post"]
pytestmark = [pytest.mark.integration, pytest.mark.forks]
FILES = {"letters.py", "tracks.py", "files.py"}


@pytest.mark.parametrize(("outcome", "code"), [("", 250), (NO_SIGN_IN, 535)])
def test_a_letter_is_sent_once_or_never(
    host: Host, post: Post, monkeypatch: pytest.MonkeyPatch, outcome: str, code: int
) -> None:
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)
    post.outcome = outcome or post.outcome
    line, dies, found = 0, True, []
    while dies:
        line += 1
        begin_anew(host.home, post)
        dies = is_killed(line, lambda: letters.run(asking(host, ONE)), FILES)
        found.append(after(host, post, monkeypatch))
    assert set(found) == {(1, code), (0, 0)}
    assert found[-1] == (1, code)
    assert found.count((0, 0)) <= 12, "only between the note and the mail itself"
    assert line > 100


def begin_anew(home: Path, post: Post) -> None:
    (home / letters.FILE).unlink(missing_ok=True)
    post.programs.forget()
    post.taken.clear()


def after(host: Host, post: Post, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """How often it was handed in, and the code that is told in the end."""
    said = told(asking(host, ONE))
    if not said:
        with monkeypatch.context() as patch:
            patch.setattr(letters, "PATIENCE", 0.0)
            said = told(asking(host, ONE))
    return len(post.taken), said[0][0]
