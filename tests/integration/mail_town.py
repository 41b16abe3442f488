"""Alice's server as it is sold, and everybody whom its mail concerns: she, Bob, a stranger outside, and staff."""

import html
import ipaddress
import re
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, TypeVar

from django.test import Client
from django.utils import timezone

from accounts.models import Account, Letter, Membership, User
from clients.aws_keys import smtp_password
from dashboard.mail.room import most_of
from domains.actions import domain as domains
from domains.actions import way_out
from domains.actions.limits import Most
from domains.models import Domain, Invitation, Mailbox
from engine.models import Alarm
from sandbox.hosts.debian import groups, lan, machines
from sandbox.internet.names import Names
from sandbox.internet.records import Record
from servers import actions as servers
from servers import images
from servers.models import Agent, Server
from tests.agent.mail.mail_host import MailHost, hashed, secret
from tests.agent.mail.whole_host import HOSTNAME, WholeHost
from tests.integration.mail_product import Product
from tests.integration.mail_traffic import Traffic

SOON = 300.0  # seconds within which what was done must show, on a busy machine
BIRTH = 900.0  # seconds for a server to come up where its image must be made first
ALICE, BOB = "alice@firm.test", "bob@firm.test"
OWNER = "alice@example.test"
REGION = "eu-central-1"
Found = TypeVar("Found")


def eventually(look: Callable[[], Found], what: str, within: float = SOON, why: Any = None) -> Found:
    """What `look` finds, as soon as it finds something; `why` says more where it never does."""
    until = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < until, f"{what} did not come within {within:.0f} s: {why and why()}"
        time.sleep(0.2)
    return found


class SoldHost(WholeHost):
    """A machine that the outside world's Hetzner runs, met as those in tests of the agent are."""

    def __init__(self, product: Product, server: Server) -> None:
        self.home = product.home / "sandbox"
        self.machine, self.address = server.machine_id, str(server.ipv4)
        network = machines.noted(lan.notes(self.home)).network
        self.hosts = SimpleNamespace(network=network)  # type: ignore[assignment]

    def _first_process(self) -> str:
        place = groups.root()
        assert place
        (group,) = place.glob(f"mailat-{tag(self.home)}-{self.machine}")
        return (group / "payload/init.scope/cgroup.procs").read_text().split()[0]


def tag(home: Any) -> str:
    """How the groups of the hosts of a sandbox are named."""
    from sandbox.hosts.debian.hosts import DebianHosts

    return DebianHosts(home, 0, print, why="")._tag


class Town:
    """The product's pages and letters as people see them, and their mail as programs do."""

    def __init__(self, product: Product) -> None:
        self.product, self.sandbox = product, product.sandbox
        eventually(images.newest, "an image to begin with", BIRTH)
        self.account = self._account()
        self.server = servers.want_server(
            account=self.account, name=HOSTNAME.partition(".")[0], place="fsn1", plan="plus", by="test"
        )
        eventually(lambda: self.page() and self._ready(), "the server", BIRTH, self.page)
        self.host = SoldHost(product, self.server)
        self.mail = MailHost(self.host)
        self._open_shop()
        eventually(self._are_in, "Alice's and Bob's mailboxes", SOON, lambda: self.report)

    def _account(self) -> Account:
        account = Account.objects.create(name="Alice's bakery")
        self.alice = User.objects.create_user(OWNER, name="Alice")
        Membership.objects.create(account=account, user=self.alice, role=Membership.Role.OWNER)
        browser = Client()
        browser.force_login(self.alice)
        self.cookie = "; ".join(f"{one.key}={one.value}" for one in browser.cookies.values())
        return account

    def _ready(self) -> bool:
        self.server.refresh_from_db()
        return self.server.ready_at is not None

    def _are_in(self) -> bool:
        """The newest order has them and is in force: one that was on its way may be applied first, or the host try again."""
        self.page()
        agent = self.agent
        is_newest = agent.applied_version >= agent.desired_version
        return is_newest and ALICE in agent.desired_body and not agent.report.get("undone")

    def _open_shop(self) -> None:
        """People and their mailboxes, and a way out."""
        self.take_people_in()
        with self.change():
            self.set_way_out()

    def take_people_in(self) -> None:
        """A domain with its MX record, Alice's and Bob's mailboxes."""
        names = Names(self.host.home, ipaddress.IPv4Network(self.host.hosts.network))
        names.add([Record("firm.test", "MX", f"10 {HOSTNAME}.")])
        self.domain = domains.add_domain(account=self.account, home=self.server.pk, name="firm.test", by="t")
        for address in (ALICE, BOB):
            local = address.partition("@")[0]
            password = hashed(secret(address))
            box = Mailbox.objects.create(domain=self.domain, local=local, password=password, quota=2**28)
            now = timezone.now()
            Invitation.objects.create(
                mailbox=box,
                to=f"{local}@elsewhere.test",
                token_hash=local,
                by="test",
                expires_at=now,
                used_at=now,
            )

    @property
    def most(self) -> Most:
        """What her plan has room for."""
        return most_of(self.server)

    def set_way_out(self) -> None:
        made = self.sandbox.post("/internet/api/ses/users", region=REGION, domains=["firm.test"])
        way_out.set_way_out(
            account=self.account,
            home=self.server.pk,
            region=REGION,
            access_key=made["access_key"],
            password=smtp_password(made["secret"], REGION),
            seal_key=self.agent.seal_key,
            sender_domain=Domain.objects.get(name="firm.test"),
            by="test",
        )

    @property
    def agent(self) -> Agent:
        return Agent.objects.get(server=self.server)

    @property
    def report(self) -> dict[str, Any]:
        return dict(self.agent.report)

    @property
    def certificate(self) -> dict[str, Any]:
        """What the server says of that of its own name; nothing while its agent, just started, has not looked yet."""
        said = self.report["mail"] or {}
        return dict(next(iter(said.get("certificates") or []), {}))

    @contextmanager
    def change(self) -> Iterator[None]:
        """What is done inside changes what is wanted; afterwards that is in force, or refused."""
        before = self.agent.desired_version
        yield

        def done() -> bool:
            self.page()
            agent = self.agent
            return agent.applied_version >= agent.desired_version > before

        eventually(done, "what was ordered", SOON, lambda: self.report)

    def page(self, path: str = "") -> str:
        """The text of the server's page as Alice reads it; while she does, reports come every two seconds."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.product.site}{path or f'/servers/{self.server.pk}'}", headers={"Cookie": self.cookie}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return words(answer.read().decode())

    def says(self, sentence: str, path: str = "", within: float = SOON) -> str:
        """The page, once it says this."""
        return eventually(
            lambda: (page := self.page(path)) and sentence in page and page,
            f"“{sentence}”", within, lambda: (self.page(path)[:3000], self.report),
        )  # fmt: skip

    def well(self) -> None:
        """The page says that mail works, and nobody is alarmed."""
        self.says("our last test mail came back")
        eventually(lambda: not self.alarms(), "the end of all alarms", SOON, self.alarms)

    def calm(self) -> None:
        """All is well, and letters are as old as if six hours had passed, so that what comes is told again."""
        self.well()
        Letter.objects.all().delete()
        self.sandbox.delete("/mail/api/messages")

    def look_again(self) -> None:
        """What waits is tried once more and looked at, as Postfix and the agent do by themselves every few minutes."""
        self.host.run("postqueue", "-f")
        eventually(lambda: "delay_reason" in self.mail.queue(), "a try", SOON, self.mail.queue)
        self.host.run("systemctl", "restart", "mailat-agent.service")

    def alarms(self) -> list[str]:
        """What staff is told of now."""
        found = Alarm.objects.filter(subject=self.server.subject, closed_at=None)
        return sorted(found.values_list("says", flat=True))

    def alarm(self, sentence: str) -> None:
        """Staff is told of this, once somebody looked."""
        eventually(
            lambda: self.page() and any(sentence in one for one in self.alarms()),
            f"the alarm “{sentence}”", SOON, lambda: (self.alarms(), self.report),
        )  # fmt: skip

    def all_there(self, traffic: Traffic, most_copies: int = 1) -> None:
        """Every mail that was accepted lies in its mailbox, and no more copies of it than the protocol lets come.

        A sender that lost the connection before the answer hands the mail in again (RFC 5321 4.2.5, RFC 1047).
        """

        def found() -> Counter[str]:
            copies = Counter(self.subjects(traffic.to))
            return copies if set(traffic.accepted) <= set(copies) else Counter()

        copies = eventually(found, "all that was accepted", SOON, self.mail.queue)
        allowed = {subject: most_copies + traffic.unclear[subject] for subject in traffic.accepted}
        assert not {subject: copies[subject] for subject, most in allowed.items() if copies[subject] > most}

    def subjects(self, user: str) -> list[str]:
        """Of all mail that a mailbox has, in whatever folder."""
        said = self.host.run("doveadm", "fetch", "-u", user, "hdr.subject", "ALL", check=False)
        return [line.partition(": ")[2] for line in said.splitlines() if line.startswith("hdr.subject")]

    def letter(self, sentence: str, to: str = OWNER) -> dict[str, Any]:
        """A letter with these words in it, by our own mail and not the server's."""

        def found() -> dict[str, Any]:
            letters = self.sandbox.letters(to)
            return next((one for one in letters if sentence in " ".join(one["text"].split())), {})

        return eventually(found, f"a letter “{sentence}”", SOON, lambda: self.sandbox.letters(to))


def words(page: str) -> str:
    """A page's text on one line."""
    bare = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", " ", page)
    return " ".join(html.unescape(bare).split())
