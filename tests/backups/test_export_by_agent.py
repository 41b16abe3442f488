"""The agent itself at the gate itself: what it read from its disk is what its customer fetches."""

from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4
from zipfile import ZipFile

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from agent.mailat_agent.backup import run
from agent.mailat_agent.backup.export import Export as Exporting
from agent.mailat_agent.backup.run import Trouble
from agent.mailat_agent.backup.state import State
from backups import exports
from backups.models import Export, Job
from clients.object_storage import Storage
from domains.models import Domain, Mailbox
from tests.agent.backup.mailbox import seen
from tests.agent.backup.small_host import PEOPLE, SmallHost, owner
from tests.backups.conftest import BY, Host, in_bucket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def small(host: Host, live_server: LiveServer, tmp_path: Path) -> SmallHost:
    """A host whose mailboxes are the server's, with more mail than a part holds."""
    small = SmallHost(tmp_path / "host", cast(Any, SimpleNamespace(url=live_server.url)))
    domain = Domain.objects.create(name="firm.test", account=host.server.account, home=host.server.pk)
    for address in PEOPLE:
        Mailbox.objects.create(pk=owner(address), domain=domain, local=address.partition("@")[0], quota=10**9)
    small.fill(30, size=20_000)
    small.fill(30, ("alice",), size=800_000)
    return small


def do(small: SmallHost, host: Host, job: UUID, format: str) -> dict[str, Any]:
    chore = small.chore(jobs=[{"id": str(job), "do": "export", "format": format}])
    known = small.host
    here = run.Host(
        known.places, str(host.server.pk), known.control, f"{host.server.pk}.{host.secret}", known.private
    )
    assert chore.wanted
    with run.alone(small.places) as lock:
        assert lock
        with run.opened(
            here, chore.wanted, State.read(small.places.own), lock, lambda *_: None
        ) as repository:
            return Exporting(repository, chore.situation, chore.home_of, lambda: None).run(
                chore.wanted.jobs[0]
            )


def test_every_mailbox_arrives_and_is_fetched_as_it_was(
    client: Client, small: SmallHost, host: Host, storage: Storage, tmp_path: Path
) -> None:
    job = exports.want(home=host.server.pk, mailbox=None, format="maildir", by=BY)
    said = do(small, host, job.pk, "maildir")
    assert (said["mailboxes"], said["messages"]) == (3, 60)
    assert {one.parts for one in Export.objects.all()} == {1, 2}
    for address in PEOPLE:
        export = Export.objects.get(mailbox=owner(address))
        assert (export.state, export.address) == ("ready", address)
        content = b"".join(storage.read(export.key))
        assert (sha256(content).hexdigest(), len(content)) == (export.sha256, export.bytes)
        place = tmp_path / address
        (tmp_path / "zip").write_bytes(content)
        ZipFile(tmp_path / "zip").extractall(place)
        found = {folder: [(hash_, flags) for hash_, flags, _ in all_] for folder, all_ in seen(place).items()}
        wanted = {
            folder: [(hash_, flags) for hash_, flags, _ in all_]
            for folder, all_ in seen(small.home(address)).items()
        }
        assert found == wanted
    assert do(small, host, job.pk, "maildir")["bytes"] == 0  # all of it is there already
    assert len(in_bucket(storage)) == 3


def test_of_what_nobody_asked_for_nothing_is_sent(small: SmallHost, host: Host, storage: Storage) -> None:
    with pytest.raises(Trouble, match="not asked for any more"):
        do(small, host, uuid4(), "mbox")
    job = exports.want(home=host.server.pk, mailbox=None, format="mbox", by=BY)
    Job.objects.update(state="failed")
    with pytest.raises(Trouble, match="not asked for any more"):
        do(small, host, job.pk, "mbox")
    assert in_bucket(storage) == set()
