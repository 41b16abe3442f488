"""From our page to the file: a word that is good for a minute, and an address of the storage that is good for a night."""

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from audit.models import Event
from backups import exports
from backups.models import Export
from clients.object_storage import Storage
from sandbox.storage.server import S3Server
from sandbox.storage.state import Fault
from tests.backups.conftest import Host
from tests.backups.exporting import exported, mailbox_of

pytestmark = pytest.mark.django_db
CONTENT = bytes(range(256)) * 40_000


def fetched(client: Client, word: str) -> Any:
    return client.get(f"/storage/exports/{word}")


def word(export: Export) -> str:
    return exports.link(export=export, by="user:7")


def test_the_word_leads_to_the_storage_and_the_file_is_the_one_that_was_made(
    client: Client, host: Host, tmp_path: Path
):
    export = exported(host, mailbox_of(host, "anna+x"), CONTENT)
    answer = fetched(client, word(export))
    assert answer.status_code == 302
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    query = dict(parse_qsl(urlsplit(answer["Location"]).query))
    assert query["X-Amz-Expires"] == str(12 * 3600)
    assert (
        f'filename="mail-of-anna-x-at-post.test-{timezone.now():%Y}' in query["response-content-disposition"]
    )
    file = tmp_path / "export.zip"
    subprocess.run(["curl", "-sS", "--fail", "-o", str(file), answer["Location"]], check=True)
    assert file.read_bytes() == CONTENT


def test_a_download_that_broke_off_goes_on_where_it_was(
    client: Client, host: Host, s3: S3Server, tmp_path: Path
):
    export = exported(host, mailbox_of(host), CONTENT)
    file = tmp_path / "export.zip"
    s3.state.add(Fault("cut", "get"))
    curl = ["curl", "-sS", "--fail", "-C", "-", "-o", str(file)]
    assert subprocess.run([*curl, fetched(client, word(export))["Location"]], check=False).returncode != 0
    half = file.stat().st_size
    assert 0 < half < len(CONTENT)
    before = s3.calls.rest().sums()["bytes_out"]
    subprocess.run([*curl, fetched(client, word(export))["Location"]], check=True)
    assert file.read_bytes() == CONTENT
    assert s3.calls.rest().sums()["bytes_out"] - before == len(CONTENT) - half


def test_each_word_that_is_given_is_an_event_and_counted(host: Host):
    export = exported(host, mailbox_of(host))
    for _ in range(2):
        word(export)
    export.refresh_from_db()
    assert export.downloads == 2
    events = Event.objects.filter(action="export.downloaded")
    assert [(one.by, one.facts["address"]) for one in events] == [("user:7", export.address)] * 2


def test_a_word_is_good_for_a_minute_then_it_leads_back_to_the_page(
    client: Client, host: Host, monkeypatch: pytest.MonkeyPatch
):
    export = exported(host, mailbox_of(host))
    given = word(export)
    monkeypatch.setattr(exports, "LINK_LIFE", timedelta(seconds=-1))
    answer = fetched(client, given)
    assert answer["Location"].endswith(f"/servers/{host.server.pk}/exports?again")


@pytest.mark.parametrize("end", ["deleted", "over", "server"])
def test_of_what_is_gone_no_address_is_given(client: Client, host: Host, end: str):
    from backups import actions

    export = exported(host, mailbox_of(host))
    given = word(export)
    if end == "deleted":
        exports.delete(export=export, by="user:7")
    elif end == "over":
        Export.objects.update(expires_at=timezone.now())
    else:
        actions.forget_home(home=host.server.pk, by="program:Destroy")
    assert "/exports?again" in fetched(client, given)["Location"]


def test_a_word_that_is_not_ours_opens_nothing(client: Client, host: Host):
    export = exported(host, mailbox_of(host))
    given = word(export)
    for wrong in (
        "x",
        given[:-1],
        given[1:],
        signing.dumps(str(export.pk)),
        signing.dumps(str(export.pk), salt="other"),
        str(export.pk),
    ):
        assert fetched(client, wrong).status_code == 404
    assert client.post(f"/storage/exports/{given}").status_code == 405


def test_the_word_of_one_file_opens_no_other(client: Client, host: Host, other: Host):
    mine, theirs = exported(host, mailbox_of(host)), exported(other, mailbox_of(other))
    assert mine.key in fetched(client, word(mine))["Location"]
    assert theirs.key not in fetched(client, word(mine))["Location"]


def test_a_row_that_is_no_more_leads_to_the_overview(client: Client, host: Host):
    export = exported(host, mailbox_of(host))
    given = word(export)
    export.delete()
    assert fetched(client, given)["Location"].endswith("/overview")


def test_the_pages_process_neither_signs_nor_has_this_address(client: Client, host: Host, settings: Any):
    given = word(exported(host, mailbox_of(host)))
    settings.ROOT_URLCONF = "mailat.urls"
    assert fetched(client, given).status_code == 404


def test_a_gate_without_a_key_sends_back_to_the_page(client: Client, host: Host, settings: Any):
    given = word(exported(host, mailbox_of(host)))
    settings.STORAGE_SECRET_KEY = ""
    assert "/exports?away" in fetched(client, given)["Location"]


def test_no_log_says_a_word_or_an_address_of_the_storage(
    client: Client, host: Host, storage: Storage, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    given = word(exported(host, mailbox_of(host)))
    address = fetched(client, given)["Location"]
    fetched(client, given[:-1])
    signature = dict(parse_qsl(urlsplit(address).query))["X-Amz-Signature"]
    from mailat import logs

    for record in caplog.records:
        logs.hide_path(record)
        assert given[:-1] not in record.getMessage()
        assert signature not in record.getMessage()
