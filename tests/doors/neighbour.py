"""What Charlie has: one of everything that Alice has, so that each of her forms can be sent with an id of his."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Model

from accounts.models import User
from tests.dashboard import backups_world, exports_world, mail_world, world


def everything_of(user: User) -> dict[str, list[Model]]:
    """His rows by their kind."""
    account = user.accounts.get()
    server = mail_world.serving(account, "charliespost", "charlie.example")
    domain = mail_world.domain(server, "charlie.example")
    mailbox = mail_world.mailbox(domain, "carl")
    repository = backups_world.repository(server)
    point = backups_world.point(repository)
    rows: list[Model] = [
        account, user, user.memberships.get(), server, domain, mailbox, point,
        world.subscription(account, gumroad_id="charlies=="), mail_world.alias(domain), mail_world.app_password(mailbox),
        mail_world.invitation(mailbox, token_hash="c" * 64), mail_world.erasure(domain), mail_world.way_out(domain),
        backups_world.restore(point, mailbox.pk), exports_world.ready(repository), world.gone(account, "charliesold"),
    ]  # fmt: skip
    found: dict[str, list[Model]] = {}
    for row in rows:
        found.setdefault(row._meta.label, []).append(row)
    return found


def state(rows: dict[str, list[Model]]) -> list[dict[str, Any]]:
    """Every column of every row, as the database has it."""
    return [
        row._meta.model._base_manager.filter(pk=row.pk).values().first() or {"gone": str(row)}  # type: ignore[attr-defined]
        for kind in rows.values()
        for row in kind
    ]


class Forms(HTMLParser):
    """The forms of a page, with what a browser would send."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, list[str]]] = []
        self.actions: list[str] = []
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form" and told.get("method", "").lower() == "post":
            self.forms.append({})
            self.actions.append(urlsplit(told.get("action", "")).path)
        elif self.forms:
            self._field(tag, told)

    def _field(self, tag: str, told: dict[str, str]) -> None:
        if tag == "select":
            self._select = told.get("name", "")
        elif tag == "option" and self._select:
            self._keep(self._select, told.get("value", ""))
        elif tag in ("input", "button", "textarea") and told.get("name"):
            self._keep(told["name"], told.get("value", "") or ("x" if tag != "button" else ""))

    def _keep(self, name: str, value: str) -> None:
        self.forms[-1].setdefault(name, []).append(value)


def with_theirs(
    form: dict[str, list[str]], mine: dict[str, str], theirs: dict[str, list[Model]]
) -> Iterator[dict[str, str]]:
    """The form once for each of its ids, with the neighbour's row of the same kind in its place."""
    plain = {name: values[0] for name, values in form.items()}
    for name, values in form.items():
        for kind in {mine[value] for value in values if value in mine}:
            for row in theirs.get(kind, []):
                yield {**plain, name: str(row.pk)}
