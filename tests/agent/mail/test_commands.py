"""Of a checker's many words the line that tells, without the secrets that it may repeat."""

import pytest

from agent.mailat_agent.mail import commands
from agent.mailat_agent.mail.commands import Failed


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("nginx: [emerg] unknown directive \"x\" in a:3\nnginx: configuration file test failed", "nginx: [emerg] unknown directive \"x\" in a:3"),
        ("a:3:5-9: Error: syntax error, unexpected x\ntable inet\n^^^^^", "a:3:5-9: Error: syntax error, unexpected x"),
        ("postfix/postfix-script: warning: not owned by root: a\npostfix: fatal: bad numerical configuration", "postfix: fatal: bad numerical configuration"),
        ("first\nlast\n\n", "last"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_line_that_names_the_error_is_taken(said: str, line: str) -> None:
    assert commands.reason(said.encode()) == line


@pytest.mark.parametrize(
    "secret",
    [
        "{SHA512-CRYPT}$6$rounds=5000$saltsalt$hhhhhhhhhhhhhhhhhhhh",
        "$2y$10$abcdefghijklmnopqrstuv",
        "password = hunter2",
        'password: "hunter2"',
        "relay_passwd=hunter2",
        "BHdGr5zoSL1oXTYN8Q7ZPkMvRcWJfyq4uA3VtXsEbnLm",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_what_looks_like_a_secret_is_left_out(secret: str) -> None:
    said = commands.without_secrets(f"fatal: line 5: {secret}")

    assert said.startswith("fatal: line 5: ")
    assert not [word for word in ("hunter2", "saltsalt", "abcdefgh", "9Q7", "8Q7Z", "9f86d0") if word in said]


def test_what_does_not_stays_and_is_one_short_line() -> None:
    plain = "doveconf: Fatal: Error in configuration file /etc/mailat/mail/dovecot/dovecot.conf line 12: Unknown setting"

    assert commands.without_secrets(plain) == plain
    assert len(commands.without_secrets("a\tb\n " * 1000)) == commands.LONGEST


def test_a_program_that_fails_says_why_and_one_that_works_what_it_prints() -> None:
    assert commands.run(["sh", "-c", "echo fine"]) == "fine\n"
    with pytest.raises(Failed, match=r"^error: no room$"):
        commands.run(["sh", "-c", "echo error: no room >&2; exit 3"])
    with pytest.raises(Failed, match=r"^sh ended with 3$"):
        commands.run(["sh", "-c", "exit 3"])


def test_one_that_does_not_exist_or_does_not_end_is_said() -> None:
    with pytest.raises(Failed, match="cannot be run: No such file or directory"):
        commands.run(["/no/such/program"])
    with pytest.raises(Failed, match="did not end within"):
        commands.run(["sleep", "60"], patience=0.1)
