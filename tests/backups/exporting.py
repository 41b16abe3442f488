"""A host that brings its customer's mail as a file, and what it brings."""

from hashlib import sha256
from typing import Any
from uuid import UUID

from backups import exports
from backups.models import Export, Job
from domains.models import Domain, Mailbox
from tests.backups.conftest import BY, Host, put

PART = 16 * 2**20


def mailbox_of(host: Host, local: str = "anna") -> Mailbox:
    domain, _ = Domain.objects.get_or_create(
        name=f"{host.server.name}.test", account=host.server.account, home=host.server.pk
    )
    return Mailbox.objects.create(domain=domain, local=local, quota=10**9)


def asked(host: Host, mailbox: Mailbox | None = None, format: str = "mbox") -> Job:
    return exports.want(home=host.server.pk, mailbox=mailbox.pk if mailbox else None, format=format, by=BY)


def said(host: Host, do: str, **fields: Any) -> dict[str, Any]:
    answer = host.ask(do, **fields)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def begun(host: Host, job: Job, mailbox: Mailbox) -> str:
    answer = said(host, "export_begin", job=str(job.pk), mailbox=str(mailbox.pk))
    assert answer["part"] == PART
    return str(answer["export"])


def part(host: Host, export: str, number: int, content: bytes) -> dict[str, Any]:
    digest = sha256(content).hexdigest()
    return said(host, "export_part", export=export, number=number, bytes=len(content), sha256=digest)


def sent(host: Host, export: str, *contents: bytes) -> None:
    for number, content in enumerate(contents, 1):
        assert put(part(host, export, number, content), content) == 200


def done(host: Host, export: str, *contents: bytes, **more: Any) -> dict[str, Any]:
    whole = b"".join(contents)
    facts = {"bytes": len(whole), "sha256": sha256(whole).hexdigest(), "messages": 3, "skipped": 0, **more}
    return said(host, "export_done", export=export, **facts)


def exported(host: Host, mailbox: Mailbox, content: bytes = b"a zip", format: str = "mbox") -> Export:
    """The whole way."""
    pk = begun(host, asked(host, mailbox, format), mailbox)
    sent(host, pk, content)
    assert done(host, pk, content) == {"ready": True}
    return Export.objects.get(pk=UUID(pk))
