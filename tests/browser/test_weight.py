"""A first visit weighs less than 100 kB, as the browser counts it, with files as they are served in production."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from playwright.sync_api import Browser

from accounts.models import Account, User
from servers.models import Server
from tests.browser import mail_site
from tests.browser.conftest import WIDE, Window
from tests.dashboard import backups_world, mail_world, sending_world, world

pytestmark = pytest.mark.browser
MOST = 100_000


@pytest.fixture
def site(settings: Any, tmp_path: object, transactional_db: None) -> Iterator[str]:
    """The site with its static files collected, hashed and compressed."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    server = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler)
    server.set_app(WSGIHandler())
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Tests print nothing."""


def weight(window: Window, path: str) -> int:
    """Bytes that the browser received for the page and all that belongs to it, headers and all."""
    wire = window.context.new_cdp_session(window.page)
    wire.send("Network.enable")
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    window.open(path)
    window.page.wait_for_load_state("networkidle")
    return int(sum(sizes))


@pytest.mark.parametrize(
    "name", ["landing", "overview", "server", "mail", "domain", "sending", "invitation", "backups"]
)
def test_a_first_visit_is_light(
    name: str, site: str, chromium: Browser, alice: User, account: Account
) -> None:
    assert settings.DEBUG is False
    firm = mail_world.firm(account)
    backups_world.backed_up(firm, 100)
    one = Server.objects.get(pk=firm.home)
    world.measured(one, 60)
    sending_world.works(firm)
    pages = {
        "landing": "/",
        "overview": "/overview",
        "backups": f"/servers/{one.pk}/backups",
        "server": f"/servers/{one.pk}",
        "mail": "/mail",
        "domain": f"/mail/domains/{firm.pk}",
        "sending": f"/mail/sending/{one.pk}",
        "invitation": mail_site.link_for(firm),
    }
    window = Window(chromium, site, "light", WIDE)
    if name not in ("landing", "invitation"):
        window.sign_in(alice)
    missing: list[str] = []
    # 304 is said to a part of the page that asks again, if all took so long that it does.
    window.page.on("response", lambda one: missing.append(one.url) if one.status not in (200, 304) else None)
    got = weight(window, pages[name])
    assert missing == []
    assert 5_000 < got < MOST
    window.context.close()
