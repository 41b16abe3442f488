"""The internet's pages and doors, and the proxy into it: what people and tests use; the rest is in the hosts' network."""

from __future__ import annotations

import pathlib

import flask

from sandbox.hosts import Hosts
from sandbox.internet import doors_mail, doors_names, doors_ses, pebble
from sandbox.internet.addresses import MACHINE_NAMES, REGIONS
from sandbox.internet.background import Background
from sandbox.internet.faults import KINDS, Faults
from sandbox.internet.names import PRESET, Names
from sandbox.internet.records import TYPES
from sandbox.internet.ses_queue import Queue
from sandbox.internet.ses_users import Users
from sandbox.internet.signing import DkimKey
from sandbox.internet.socks import Proxy
from sandbox.internet.store import Store
from sandbox.internet.trust import Trust
from sandbox.mail.store import Store as Mailbox

NO_LAN = "servers are not real hosts here, so there is no network that they share"


class Internet:
    """`blueprint` is mounted at /internet; names and letters are kept also where there are no hosts."""

    def __init__(self, home: pathlib.Path, hosts: Hosts, mailbox: Mailbox, socks_port: int = 0) -> None:
        self.home, self.hosts, self.mailbox = home, hosts, mailbox
        self.store, self._trust = Store(home), Trust(home)
        self.users, self.faults = Users(self.store), Faults(self.store)
        self.queue = Queue(self.store, DkimKey(home))
        self._names: Names | None = None
        self._background = Background("socks")
        self.socks = f"127.0.0.1:{self._background.do(Proxy(home).start(socks_port))}"
        self.blueprint = self._doors()

    @property
    def names(self) -> Names:
        """Made again only where the hosts have another network by now: the key that it shows is dear to read."""
        if self._names is None or self._names.network != self.hosts.network:
            self._names = Names(self.home, self.hosts.network)
        return self._names

    def where(self, url: str) -> dict[str, str]:
        """What is where, for whoever started the sandbox; empty is what is not there, and `acme_why` says why."""
        real = self.hosts.kind == "debian"
        why = pebble.why_not() if real else NO_LAN
        return {
            "internet": f"{url}/internet/",
            "socks": self.socks,
            "lan": str(self.hosts.network) if real else "",
            "acme": "" if why else pebble.DIRECTORY,
            "acme_why": why,
            "ca": str(self._trust.bundle),
        }

    def _doors(self) -> flask.Blueprint:
        doors = flask.Blueprint("internet", __name__, template_folder="templates")
        doors.add_url_rule("/", "page", self.page)
        for each in (doors_names.NameDoors, doors_mail.MailDoors, doors_ses.SesDoors):
            each(self).register(doors)
        return doors

    def page(self, **more: object) -> str:
        names = self.names
        known = names.all()
        shown: dict[str, object] = {
            "where": self.where(flask.request.host_url.rstrip("/")),
            "machines": [(names.network[place], name) for place, name in MACHINE_NAMES.items()],
            "names": [(one, source) for one, source in known if source != PRESET],
            "presets": [(one, source) for one, source in known if source == PRESET],
            "types": TYPES,
            "sent": doors_mail.sent(self.store),
            "letters": self.queue.log(50),
            "users": self.users.all(),
            "regions": REGIONS,
            "faults": self.faults.all(),
            "fault_kinds": KINDS,
        }
        return flask.render_template("internet/page.html", **{**shown, **more})

    def close(self) -> None:
        self._background.close()
