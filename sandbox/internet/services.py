"""What answers in the hosts' network, started together and ended together."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP

from sandbox.aws.cloud import Cloud
from sandbox.aws.reports import Reports
from sandbox.aws.sending import Sending
from sandbox.internet import addresses, aptproxy, correspondents, pebble, ses, ses_post, ses_queue, ses_users
from sandbox.internet.addresses import ACME, GATEWAY, OUTSIDE, SES
from sandbox.internet.ca import Authority, Leaf
from sandbox.internet.delivery import Courier
from sandbox.internet.faults import Faults
from sandbox.internet.names import Names
from sandbox.internet.nameserver import NameServer
from sandbox.internet.signing import DkimKey
from sandbox.internet.store import Store
from sandbox.internet.trust import Trust

if TYPE_CHECKING:
    from sandbox.hosts.debian.lan import Lan


class Services:
    """A name server, a way to packages, an ACME server, the sending service, and people outside."""

    def __init__(self, lan: Lan, home: pathlib.Path) -> None:
        self._ends = contextlib.ExitStack()
        self._names, self._trust = Names(home, lan.network), Trust(home)
        self.why_no_acme = ""
        try:
            self._start(lan, home)
        except BaseException:
            self.close()
            raise

    def _start(self, lan: Lan, home: pathlib.Path) -> None:
        sockets = lan.listen(GATEWAY, 53, socket.SOCK_DGRAM), lan.listen(GATEWAY, 53)
        lan.background.do(NameServer(self._names).serve(*sockets))
        proxy = aptproxy.AptProxy(lan.listen(GATEWAY, aptproxy.PORT), aptproxy.cache(home))
        self._ends.callback(proxy.close)
        self._start_acme(lan, home)
        self._start_outside(lan, home)
        self._start_ses(lan, home)

    def _start_outside(self, lan: Lan, home: pathlib.Path) -> None:
        leaf = Authority(home).leaf("outside", [addresses.OUTSIDE_NAME], [lan.machines[OUTSIDE].address])
        incoming, known = correspondents.Incoming(home, self._names), tls(leaf)
        self._serve(lan, OUTSIDE, 25, lambda: stranger(incoming, addresses.OUTSIDE_NAME, known))

    def _start_ses(self, lan: Lan, home: pathlib.Path) -> None:
        store, key = Store(home), DkimKey(home)
        ses_users.Users(store)  # admits those of an older home
        cloud, queue = Cloud(home, lambda: self._names), ses_queue.Queue(store, key)
        reports = Reports(cloud)
        leaf = Authority(home).leaf("ses", [addresses.ses_name(region) for region in addresses.REGIONS])
        known = ses.context(leaf)
        door = ses.Submission(Sending(cloud), queue, Faults(store))
        for port in ses.PORTS:
            self._serve(lan, SES, port, lambda: ses.protocol(door, known))
        courier = Courier(lan.machines[SES], self._names, addresses.SES_SENDING_NAME)
        back = ses_post.Feedback(queue, courier, reports)
        self._serve(lan, SES, 25, lambda: stranger(back, addresses.SES_SENDING_NAME))
        self._ends.callback(ses_post.Post(queue, courier, reports).close)

    def _serve(self, lan: Lan, place: int, port: int, protocol: Callable[[], SMTP]) -> None:
        """SMTP in the loop of the network."""
        listener = lan.listen(place, port)

        async def start() -> None:
            await asyncio.get_running_loop().create_server(protocol, sock=listener)

        lan.background.do(start())

    def _start_acme(self, lan: Lan, home: pathlib.Path) -> None:
        """Without it hosts run all the same, only without certificates."""
        try:
            acme = pebble.Pebble(lan.machines[ACME], lan.gateway, home, self._trust)
        except pebble.PebbleError as problem:
            self.why_no_acme = str(problem)
        else:
            self._ends.callback(acme.close)

    def close(self) -> None:
        self._ends.close()


def stranger(door: Any, hostname: str, known: ssl.SSLContext | None = None) -> SMTP:
    """One connection between mail servers that do not know each other."""
    most = correspondents.MOST_BYTES
    return SMTP(door, hostname=hostname, data_size_limit=most, tls_context=known, enable_SMTPUTF8=True)


def tls(leaf: Leaf) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf.certificate, leaf.key)
    return context
