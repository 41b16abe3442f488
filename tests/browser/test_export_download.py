"""A person presses Download in a browser, and what lies on the disk is what the server made, to the last byte."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account, User
from audit.models import Event
from backups import bucket, exports
from backups.models import Export
from sandbox.storage.server import S3Server
from tests.backups.conftest import KEYS, Host, begin, server_of
from tests.backups.exporting import begun, done, mailbox_of, sent
from tests.browser.conftest import WIDE, Window

pytestmark = pytest.mark.browser
CONTENT = bytes(range(256)) * 80_000  # two parts of 16 MiB


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[S3Server]:
    server = S3Server(tmp_path / "s3", KEYS)
    yield server
    server.close()


@pytest.fixture
def host(account: Account, client: Client, s3: S3Server, settings: Any, live_server: LiveServer) -> Host:
    """Alice's server, with a storage of its own, and the gate behind the same name as the pages."""
    settings.STORAGE_URL, settings.STORAGE_REGION, settings.STORAGE_BUCKET = s3.url, "fsn1", "mailat-browser"
    settings.STORAGE_ACCESS_KEY, settings.STORAGE_SECRET_KEY = KEYS.access_key, KEYS.secret_key
    settings.ROOT_URLCONF, settings.BASE_URL = "tests.browser.both_urls", live_server.url
    bucket.storage().ensure_bucket()
    server = server_of(account, "post")
    begin(server)
    host = Host(client, server)
    assert host.escrow().json() == {"kept": True}
    return host


def test_asked_for_fetched_and_deleted_with_a_mouse(
    chromium: Browser, live_server: LiveServer, alice: User, host: Host, s3: S3Server, tmp_path: Path
) -> None:
    window = Window(chromium, live_server.url, "light", WIDE).sign_in(alice)
    anna = mailbox_of(host)
    page = window.open(f"/servers/{host.server.pk}/exports")
    page.get_by_label("Whose mail").select_option(label=anna.address)
    page.get_by_label("EML files").check()
    page.get_by_role("button", name="Make the export").click()
    expect(page.get_by_role("heading", name=f"Being made: {anna.address}, as EML files")).to_be_visible()

    job = host.server.account.repositories.get().jobs.get()
    pk = begun(host, job, anna)
    sent(host, pk, CONTENT[: 16 * 2**20], CONTENT[16 * 2**20 :])
    assert done(host, pk, CONTENT) == {"ready": True}
    type(job).objects.update(state="done")
    expect(page.get_by_role("link", name="Download")).to_be_visible()

    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").click()
    kept = tmp_path / "kept.zip"
    waiting.value.save_as(kept)
    shown = page.locator("code", has_text=sha256(CONTENT).hexdigest())
    expect(shown).to_be_visible()
    assert sha256(kept.read_bytes()).hexdigest() == shown.inner_text()
    assert waiting.value.suggested_filename == exports.file_name(Export.objects.get())
    assert urlsplit(waiting.value.url).netloc == urlsplit(s3.url).netloc
    assert Event.objects.filter(action="export.downloaded", by=f"user:{alice.pk}").count() == 1
    assert window.complaints == []

    page.reload()
    expect(page.get_by_text("Fetched once")).to_be_visible()
    page.get_by_role("button", name="Delete now").click()
    expect(page.get_by_text("Nobody can fetch it any more")).to_be_visible()
    assert not Export.objects.ready().exists()
    window.context.close()
