"""The sandbox's internet by its doors: names, people outside, and the sending service."""

import json
import time
import urllib.parse
import urllib.request
from typing import Any

from sandbox.internet import addresses

PATIENCE = 300.0  # seconds within which a mail must be somewhere, on a busy machine


class Internet:
    """What a registrar, a stranger and Amazon would be to the customer."""

    def __init__(self, sandbox: str) -> None:
        self.sandbox, self.api = sandbox, f"{sandbox}/internet/api"

    def ask(self, path: str, wish: dict[str, Any] | None = None) -> dict[str, Any]:
        """What a door answers; a wish is posted."""
        return self.ask_at(f"{self.api}/{path}", wish)

    def ask_at(self, address: str, wish: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(address)  # noqa: S310 - an address that bin/dev told
        if wish is not None:
            request.data = json.dumps(wish).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
            return dict(json.loads(answer.read()))

    def enter(self, name: str, kind: str, value: str) -> None:
        """One record, as at a registrar."""
        self.ask("names", {"name": name, "type": kind, "value": value})

    def values(self, name: str, kind: str) -> list[str]:
        """What is entered under a name, TXT records as the one text that they are."""
        rows = self.ask("names")["names"]
        found = [row["value"] for row in rows if (row["name"], row["type"]) == (name, kind)]
        return ["".join(value.split('"')[1::2]) for value in found] if kind == "TXT" else found

    def address(self, name: str) -> str:
        (found,) = self.values(name, "A")
        return found

    def machine(self, place: int) -> str:
        """The address of a machine that the sandbox itself plays."""
        return self.address(addresses.MACHINE_NAMES[place])

    def write(self, sender: str, to: str, subject: str, text: str = "Hello", **more: str) -> tuple[int, str]:
        """A mail from outside, handed to the recipient's own mail server; what that one said."""
        wish = {"from": sender, "to": to, "subject": subject, "text": text, **more}
        (said,) = self.ask("send", wish)["results"]
        return said["code"], said["said"]

    def received(self, to: str) -> list[dict[str, Any]]:
        return list(self.ask(f"received?{urllib.parse.urlencode({'to': to})}")["messages"])

    def arrived(self, to: str, subject: str) -> dict[str, Any]:
        """A mail that reached somebody outside, once it did."""
        until = time.monotonic() + PATIENCE
        while True:
            found = [one for one in self.received(to) if one["subject"] == subject]
            if found:
                return found[0]
            assert time.monotonic() < until, f"“{subject}” did not reach {to}"
            time.sleep(0.2)

    def ses_user(self, region: str, *domains: str) -> dict[str, str]:
        """An access key at Amazon, in whose account these domains are verified; its user may only send."""
        return self.ask("ses/users", {"region": region, "domains": list(domains)})

    def permit(self, access_key: str, policy: str) -> None:
        """The user of this key gets the policy, as somebody does in Amazon's console."""
        accounts = self.ask_at(f"{self.sandbox}/aws/api/accounts")["accounts"]
        mine = next(one for one in accounts if access_key in [key["access_key"] for key in one["keys"]])
        wish = {"account": mine["id"], "user": mine["users"][0]["name"], "policy": json.loads(policy)}
        self.ask_at(f"{self.sandbox}/aws/api/users", wish)
