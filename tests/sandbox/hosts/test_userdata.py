"""A process follows the files of the user data, below a directory of its own and nowhere else."""

import base64
import gzip
import stat

import pytest

from sandbox.hosts.userdata import UserDataError, write_files


def test_files_are_written_with_their_permissions(tmp_path):
    write_files(
        "#cloud-config\nwrite_files:\n- {path: /etc/mailat/agent.json, content: '{}', permissions: '0600'}\n",
        tmp_path,
    )
    file = tmp_path / "etc/mailat/agent.json"
    assert file.read_text() == "{}"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("encoding", ["b64", "base64", "gz+b64"])
def test_content_may_be_encoded(tmp_path, encoding):
    raw = gzip.compress(b"hello") if encoding.startswith("gz") else b"hello"
    entry = f"- {{path: /a, encoding: {encoding}, content: {base64.b64encode(raw).decode()}}}"
    write_files(f"#cloud-config\nwrite_files:\n{entry}\n", tmp_path)
    assert (tmp_path / "a").read_bytes() == b"hello"


def test_user_data_without_files_is_fine(tmp_path):
    write_files("#cloud-config\nruncmd: [[true]]\n", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["/../outside", "/a/../../outside", "relative", "", "/"])
def test_no_file_is_written_elsewhere(tmp_path, path):
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(UserDataError):
        write_files(f"#cloud-config\nwrite_files: [{{path: '{path}', content: x}}]\n", root)
    assert not (tmp_path / "outside").exists()


def test_a_link_does_not_lead_outside(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "etc").symlink_to(tmp_path)
    with pytest.raises(UserDataError):
        write_files("#cloud-config\nwrite_files: [{path: /etc/outside, content: x}]\n", root)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#!/bin/sh\ntrue\n",
        "#cloud-config\n{",
        "#cloud-config\nwrite_files: 3\n",
        "#cloud-config\nwrite_files: [x]\n",
        "#cloud-config\nwrite_files: [{path: /a, encoding: gz+b64, content: aGVsbG8=}]\n",
    ],
)
def test_what_cannot_be_followed_is_said(tmp_path, text):
    with pytest.raises(UserDataError):
        write_files(text, tmp_path)
