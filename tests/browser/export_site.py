"""The page of exports in its states, with what must be in the database for it."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import Account, User
from servers.models import Server
from tests.browser.sight import Sight
from tests.dashboard import backups_world, exports_world, mail_world, world


def _server(account: Account) -> Server:
    return Server.objects.get(pk=mail_world.firm(account).home)


def nothing(account: Account, user: User) -> str:
    server = _server(account)
    backups_world.repository(server)
    return f"/servers/{server.pk}/exports"


def full(account: Account, user: User) -> str:
    """One on its way, some ready, one of them with a long address, and one that failed."""
    server = _server(account)
    repository = backups_world.repository(server)
    exports_world.failed(repository, "the storage takes no more: delete exports that you have fetched")
    exports_world.ready(repository, downloads=3, downloaded_at=timezone.now() - timedelta(hours=1))
    exports_world.ready(repository, f"{'a-very-long-name' * 4}@firm.example", skipped=2, format="maildir")
    backups_world.runs(server, exports_world.asked(repository), "export")
    return f"/servers/{server.pk}/exports"


def ending(account: Account, user: User) -> str:
    server = world.ending(account)
    exports_world.ready(backups_world.repository(server))
    return f"/servers/{server.pk}/exports?again"


EXPORT_SIGHTS = [
    Sight("exports-none", nothing),
    Sight("exports", full),
    Sight("exports-ending", ending),
]
