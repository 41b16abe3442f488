"""Alice's server with an account of hers at Amazon: what she does on the page, and what Amazon and the host know of it."""

import json
import re
import urllib.parse
from collections.abc import Iterator
from typing import Any

import requests
from django.db import transaction

from clients.aws_keys import smtp_password
from domains.models import HandedRecord, Mailbox, WayOut
from sending.models import Credentials
from tests.agent.mail.mail_host import handed, letter, secret
from tests.integration.mail_town import REGION, Town, eventually, words
from tests.integration.planted import forms

# Every regular file on the host; what is looked for comes in hexadecimal, because systemd writes commands into its journal.
LOOK = """import os, sys
wanted = [bytes.fromhex(word) for word in sys.argv[1:]]
for place, folders, names in os.walk("/"):
    folders[:] = [one for one in folders if os.path.join(place, one) not in ("/proc", "/sys")]
    for name in names:
        path = os.path.join(place, name)
        if os.path.isfile(path) and not os.path.islink(path):
            try:
                with open(path, "rb") as file:
                    text = file.read()
            except FileNotFoundError:
                continue
            if any(word in text for word in wanted):
                print(path)
"""
LOOKER = "/root/look.py"


class SendingTown(Town):
    """There is no way out to begin with; `key` is that of a user at Amazon who may do what our policy says."""

    def _open_shop(self) -> None:
        with self.change(), transaction.atomic():
            self.take_people_in()
        self.browser = requests.Session()
        self.browser.headers["Connection"] = "close"  # or the site may end one just as it is used again
        name, _, value = self.cookie.partition("=")
        self.browser.cookies.set(name, value)
        self.sending = f"/mail/sending/{self.server.pk}"
        self.host.put(LOOKER, LOOK)

    # --- Alice on the page -----------------------------------------------------------------------------------------

    def press(self, do: str, path: str = "", **typed: str) -> str:
        """What the page says after she sent one of its forms."""
        address = f"{self.product.site}{path or self.sending}"
        page = self.browser.get(address, timeout=30)
        (token, *_) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        wish = {"do": do, "csrfmiddlewaretoken": token, **typed}
        answer = self.browser.post(address, wish, timeout=30)
        assert answer.status_code == 200, words(answer.text)[:3000]
        return words(answer.text)

    def policy(self) -> dict[str, Any]:
        """As the page gives it for Amazon."""
        query = urllib.parse.urlencode({"region": REGION})
        address = f"{self.product.site}{self.sending}/policy.json?{query}"
        return dict(self.browser.get(address, timeout=30).json())

    def paste(self, key: dict[str, Any]) -> str:
        return self.press(
            "set",
            region=REGION,
            access_key=key["access_key"],
            secret=key["secret"],
            sender_domain=str(self.domain.pk),
            port="587",
        )

    def in_use(self, key: dict[str, Any]) -> Credentials:
        """The row of this key, once the server has proven it."""

        def proven() -> Credentials | None:
            self.page()
            return Credentials.objects.filter(access_key=key["access_key"], state="in_use").first()

        return eventually(proven, "a key in use", why=lambda: (list(self.tried()), self.report))

    def tried(self) -> Iterator[tuple[str, Any]]:
        """What became of each key."""
        yield from Credentials.objects.values_list("state", "refusals")

    # --- Amazon ----------------------------------------------------------------------------------------------------

    def key(self, account: str = "") -> dict[str, Any]:
        """A key of a user with the policy of our page, in production; `account` is one that she has already."""
        wish: dict[str, Any] = {"account": account} if account else {"policy": self.policy()}
        made = dict(self.sandbox.post("/aws/api/keys", **wish))
        where = {"account": made["account"], "region": REGION}
        self.sandbox.post("/aws/api/regions", **where, state="production", max24="100000", rate="1000")
        return made

    def enter_records(self) -> None:
        """What Amazon wants to see in the DNS, as our page shows it."""
        rows = eventually(
            lambda: list(HandedRecord.objects.filter(domain=self.domain).order_by("pk")),
            "records of Amazon's",
        )
        for row in rows:
            wish = {"name": row.name, "type": row.type, "value": row.value}
            self.sandbox.post("/internet/api/names", **wish)

    def taken(self) -> list[dict[str, Any]]:
        """What Amazon took, the newest first."""
        return list(self.door("/internet/api/ses/sent")["sent"])

    def told(self) -> list[dict[str, Any]]:
        """Amazon's messages to our door, the eldest first: `state`, `body`."""
        return list(reversed(self.door("/aws/api/messages")["messages"]))

    def door(self, path: str) -> dict[str, Any]:
        """What the outside world tells there."""
        return dict(requests.get(f"{self.sandbox.url}{path}", timeout=30).json())

    def hand_in(self, told: dict[str, Any] | bytes, door: str) -> int:
        """Somebody posts to the door that Amazon was told; the status of the answer."""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        return requests.post(door, body, headers={"Content-Type": "text/plain"}, timeout=30).status_code

    # --- the host --------------------------------------------------------------------------------------------------

    def send(self, user: str, to: list[str], subject: str, author: str = "") -> tuple[int, str]:
        """One letter to several; the answer that decided. `author` is who it says that it is from."""

        def work() -> tuple[int, str]:
            with self.mail._submission(587) as door:
                door.login(user, secret(user))
                return handed(door, letter(", ".join(to), subject, "Hello", author or user), user, *to)

        return self.mail.laptop(work)

    def arrived(self, to: str, subject: str) -> None:
        """Somebody outside has it."""

        def there() -> bool:
            return any(one["subject"] == subject for one in self.mail.outside.all(to))

        eventually(there, f"“{subject}” at {to}", why=self.mail.queue)

    def comes(self, user: str, subject: str) -> None:
        """Somebody here has it."""
        eventually(lambda: subject in self.subjects(user), f"“{subject}” at {user}", why=self.mail.queue)

    def limit(self, user: str) -> int:
        """To how many recipients an hour the host lets a mailbox write."""
        said = json.loads(self.host.run("cat", "/etc/mailat/mail/policy/limits.json"))
        return int(said[user]["per_hour"])

    def an_hour_later(self) -> None:
        """What the host remembers of sending is an hour older."""
        self.host.run(
            "python3",
            "-c",
            "import sqlite3; books = sqlite3.connect('/var/lib/mailat/mail/policy.sqlite', timeout=30);"
            " [books.execute(f'UPDATE {each} SET at = at - 3600') for each in ('sent', 'refused')]; books.commit()",
        )

    def lies(self, *wanted: str) -> list[str]:
        """In which files of the host any of these stands, in whatever form."""
        written = {
            form.hex()
            for word in wanted
            for how, form in forms(word.encode()).items()
            if "hex" not in how.lower()
        }
        return sorted(self.host.run("python3", LOOKER, *sorted(written)).splitlines())

    def mailbox(self, address: str) -> Mailbox:
        return Mailbox.objects.get(domain=self.domain, local=address.partition("@")[0])

    @property
    def way(self) -> WayOut | None:
        return WayOut.objects.filter(home=self.server.pk).first()


def secrets_of(key: dict[str, Any]) -> tuple[str, str, str]:
    """All that the host must not have when the sending was ended: id, secret, and what follows from it."""
    return key["access_key"], key["secret"], smtp_password(key["secret"], REGION)
