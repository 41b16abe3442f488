"""Webmail goes through the host's own doors by verified names, and its files hold no secret."""

import json
import re
from pathlib import Path

import pytest

from agent.mailat_agent.mail import parts, people, roundcube, state
from agent.mailat_agent.mail.part import Host
from tests.agent.orders import mail, mailbox


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    host = Host("post.servers.test", ("192.0.2.7",), tmp_path, "relay-password", "canary-password")
    return {file.path: file.text for file in roundcube.files(state.read(mail()), host)}


def config(files: dict[str, str]) -> str:
    return files["roundcube/config.inc.php"]


def test_every_door_is_asked_by_tls_and_its_name_is_verified(files: dict[str, str]) -> None:
    doors = dict(re.findall(r"\$config\['(\w+)_host'\] = '(\S+)';", config(files)))

    assert doors == {
        "imap": "ssl://post.servers.test:993",
        "smtp": "ssl://post.servers.test:465",
        "smtp_helo": "post.servers.test",
        "managesieve": "tls://post.servers.test:4190",
    }
    assert set(re.findall(r"_conn_options'\] = (\S+);", config(files))) == {"$verified"}
    assert "'verify_peer' => true" in config(files)
    assert "=> false" not in config(files)


def test_no_remote_pictures_are_loaded_unasked(files: dict[str, str]) -> None:
    assert "$config['show_images'] = 0;" in config(files)


def test_no_secret_is_in_a_rendered_file(files: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "roundcube").mkdir()
    (tmp_path / "roundcube/des_key").write_text("made-on-the-host")

    assert not [path for path, text in files.items() if "-password" in text or "made-on-the-host" in text]
    assert f"file_get_contents('{tmp_path}/roundcube/des_key')" in config(files)


def test_what_the_system_reads_is_among_the_files(files: dict[str, str]) -> None:
    for target in roundcube.PART.links.values():
        assert target in files or any(path.startswith(f"{target}/") for path in files)
    for command in roundcube.PART.check:
        named = [
            word.removeprefix("/etc/mailat/mail/") for word in command if word.startswith("/etc/mailat/")
        ]
        assert set(named) <= set(files)


def test_at_rest_no_process_waits_for_browsers(files: dict[str, str]) -> None:
    assert "pm = ondemand" in files["roundcube/php-fpm.conf"]


def test_attachments_of_25_megabytes_pass_every_door(files: dict[str, str]) -> None:
    assert "php_admin_value[upload_max_filesize] = 25M" in files["roundcube/php-fpm.conf"]
    assert "php_admin_value[post_max_size] = 26M" in files["roundcube/php-fpm.conf"]
    (largest,) = re.findall(r"max_message_size'\] = '(\d+)M'", config(files))
    assert int(largest) >= 25 * 4 / 3  # as base64


def test_it_is_one_of_the_parts() -> None:
    assert roundcube.PART in parts.PARTS


def test_names_of_people_are_for_webmail_alone_and_a_new_one_interrupts_nobody(
    files: dict[str, str], tmp_path: Path
) -> None:
    boxes = [mailbox("alice@firm.test", name="Alice Müller"), mailbox("bob@firm.test", name="")]
    host = Host("post.servers.test", ("192.0.2.7",), tmp_path)
    (file,) = people.files(state.read(mail(mailboxes=boxes)), host)

    assert json.loads(file.text) == {"alice@firm.test": "Alice Müller"}
    assert (file.mode, file.group) == (0o640, "www-data")
    assert f"/etc/mailat/mail/{file.path}" in files["roundcube/mailat_client/mailat_client.php"]
    assert people.PART in parts.PARTS
    assert not people.PART.reload
