"""Everything that is done to the product with a secret in hand: what goes well, what is refused, and what breaks."""

import base64
import json
import secrets
from contextlib import suppress
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from accounts.models import Account, Membership, User
from clients.aws_keys import smtp_password
from domains.models import Domain, Mailbox
from engine.models import Alarm, Run
from sending.models import Credentials, Notice, Topic
from servers.models import Agent
from tests.dashboard import mail_world
from tests.integration.planted import Planted
from tests.integration.planted_keys import set_up_app
from tests.integration.planted_site import TOKEN, Browser, Site, eventually, of_environment

REGION = "eu-central-1"
ODD = "\"<b>&'\\é+/% "  # what every way of writing down has to escape


class Deeds:
    """Alice, Stella and strangers at work; `planted` grows as secrets are used."""

    def __init__(self, site: Site) -> None:
        self.site, self.planted = site, [Planted(f"environment: {k}", v) for k, v in of_environment(site)]
        self.alice, self.stella, self.stranger = Browser(site), Browser(site), Browser(site)
        self.key = site.sandbox.post("/aws/api/keys")
        self.domain, self.mailbox = self._world()
        self.page = f"/mail/sending/{self.domain.home}"
        self.plant("key", self.key["secret"])
        self.plant("key: its SMTP password", smtp_password(self.key["secret"], REGION))

    def plant(self, name: str, value: str | None = None) -> str:
        value = value or f"{secrets.token_urlsafe(12)}{ODD}{secrets.token_urlsafe(12)}"
        self.planted.append(Planted(name, value.encode()))
        return value

    def _world(self) -> tuple[Domain, Mailbox]:
        account = Account.objects.create(name="Alice's bakery")
        alice = User.objects.create_user("alice@example.test", name="Alice")
        Membership.objects.create(account=account, user=alice, role=Membership.Role.OWNER)
        User.objects.create_user("stella@example.test", name="Stella", is_staff=True, is_superuser=True)
        domain = mail_world.domain(mail_world.serving(account))
        public = X25519PrivateKey.generate().public_key().public_bytes_raw()
        Agent.objects.filter(server=domain.home).update(seal_key=base64.b64encode(public).decode())
        return domain, mail_world.mailbox(domain)

    # --- people come in --------------------------------------------------------------------------------------------

    def sign_in(self) -> None:
        """Alice by the code, after wrong ones and a crash; Stella by the link."""
        token, code = self.alice.ask_to_sign_in("alice@example.test")
        self.plant("sign-in: Alice's token", token)
        self.plant("sign-in: Alice's code", code)
        self.plant("sign-in: Alice's code without a dash", code.replace("-", ""))
        self.plant("sign-in: the cookie of who asked", self.alice.session.cookies["asked"])
        for typed in (
            self.plant("sign-in: a wrong code", secrets.token_hex(18)),
            self.plant("sign-in: a long code") * 3,
        ):
            self.alice.post("/sign-in/code", "wrong code", {"code": typed})
        self.stranger.get(f"/sign-in/link/{token}", "opened elsewhere")
        with self.site.without("accounts_signinlink"):
            assert self.alice.post("/sign-in/code", "code, broken", {"code": code}).status_code == 500
        assert self.alice.post("/sign-in/code", "code", {"code": code}).url.endswith("/overview")
        self.plant("session: Alice's", self.alice.session.cookies["session"])
        self._stella()

    def _stella(self) -> None:
        token, code = self.stella.ask_to_sign_in("stella@example.test")
        self.plant("sign-in: Stella's token", token)
        self.plant("sign-in: Stella's code", code)
        way = f"/sign-in/link/{token}"
        self.stella.get(way, "link")
        with self.site.without("accounts_signinlink"):
            assert self.stella.post(way, "link, broken", {}).status_code == 500
        self.stella.post(way, "link", {})
        set_up_app(self.site, self.stella, self.plant)
        self.plant("session: Stella's", self.stella.session.cookies["session"])
        assert self.stella.get("/admin/", "admin").status_code == 200

    # --- a key for sending -----------------------------------------------------------------------------------------

    def _paste(self, name: str, secret: str, **more: str) -> Any:
        """As the form has it; `more` overrides."""
        said = {
            "do": "set",
            "region": REGION,
            "access_key": self.key["access_key"],
            "port": "587",
            "secret": secret,
        }
        return self.alice.post(self.page, name, {**said, "sender_domain": str(self.domain.pk), **more})

    def refused_keys(self) -> None:
        """What the form refuses, and what never comes as far as the form."""
        self.alice.get(self.page, "assistant")
        for name, secret in (
            ("key: malformed", self.plant("key: malformed")),
            ("key: too long", self.plant("key: too long") * 40),
            (
                "key: an SMTP password",
                self.plant("key: pasted SMTP password", "B" + secrets.token_hex(22)[:43]),
            ),
        ):
            assert self._paste(name, secret).status_code == 422
        self._paste("key: without a deed", self.plant("key: without a deed"), do="")
        self._paste("key: as the access key", "x" * 40, access_key=self.plant("key: as the access key"))
        self._paste("key: as the region", "x" * 40, region=self.plant("key: as the region"))
        self._paste("key: as the port", "x" * 40, port=self.plant("key: as the port"))
        self.stranger.post(
            self.page, "key: of a stranger", {"do": "set", "secret": self.plant("key: a stranger's")}
        )
        self.alice.session.post(self.site.url + self.page, {"secret": self.plant("key: without the token")})
        for kind in (
            "text/plain",
            "application/json",
            "multipart/form-data; boundary=x",
            "multipart/form-data",
        ):
            body = json.dumps(
                {"do": "set", "secret": self.plant(f"key: as {kind}")}, ensure_ascii=False
            ).encode()
            self.alice.post(self.page, f"key: as {kind}", body, headers={"Content-Type": kind})
        huge = self.plant("key: in a huge form") * 40_000
        with suppress(requests.ConnectionError):  # the answer may be lost, for it comes before all was sent
            assert self._paste("key: in a huge form", huge).status_code == 400
        self.alice.get(f"{self.page}?secret={self.plant('key: in the address')}", "key: in the address")

    def broken_pages(self) -> None:
        """The page fails with the secret in hand."""
        with self.site.without("vault_secret"):
            assert self._paste("key, broken", self.key["secret"]).status_code == 500
        with self.site.without("sending_credentials"):
            assert self._paste("key, more broken", self.key["secret"]).status_code == 500
        with self.site.without("engine_run"):
            assert self._paste("key, broken at the end", self.key["secret"]).status_code == 500

    def tried_keys(self) -> None:
        """What Amazon refuses, does not answer or answers with nonsense, and a worker that dies with the key in hand."""
        wrong = self.plant("key: wrong", secrets.token_hex(20))
        self._paste("key: wrong", wrong)
        eventually(lambda: self._candidate().refusals, "Amazon's refusal")
        for mode in ("500", "close", "strange"):
            self.site.front.be(mode)
            self._paste(f"key, Amazon is {mode}", self.key["secret"])
            eventually(lambda: self._run().error, f"the failed step of {mode}")
            self.alice.get(self.page, f"assistant, Amazon is {mode}")
        self._killed()
        self.site.front.be("pass")
        self._paste("key", self.key["secret"])
        eventually(lambda: self._candidate().tried_at, "the trial")
        self.alice.get(self.page, "assistant, key is tried")

    def _killed(self) -> None:
        self.site.front.be("hold")
        self._paste("key, worker is killed", self.key["secret"])
        assert self.site.front.asked.wait(30)
        before = self.site.running["worker"].process.pid
        self.site.kill("worker")
        self.site.front.go.set()
        eventually(lambda: self.site.running["worker"].process.pid != before, "another worker")

    def _candidate(self) -> Credentials:
        return Credentials.objects.get(home=self.domain.home, state="candidate")

    def _run(self) -> Run:
        return Run.objects.get(subject=self._candidate().subject, program="CheckCredentials")

    # --- a mailbox's password ----------------------------------------------------------------------------------------

    def passwords(self) -> None:
        """Invited, refused, broken, and chosen at last."""
        invited = {"do": "invite", "invite_to": "anna@elsewhere.test"}
        self.alice.post(f"/mail/mailboxes/{self.mailbox.pk}", "invitation", invited)
        found = TOKEN.search(self.site.letter("anna@elsewhere.test", "/mailbox/")["text"])
        assert found
        way = f"/mailbox/{self.plant('invitation: its token', found[1])}"
        self.stranger.get(way, "invitation")
        digits = str(secrets.randbelow(10**30)).zfill(30)
        for name, typed in (("digits", digits), ("too long", self.plant("password: too long") * 9)):
            self.stranger.post(way, f"password: {name}", {"password": typed})
        self.plant("password: digits", digits)
        chosen = self.plant("password: chosen")
        for table in ("accounts_letter", "domains_mailbox"):
            with self.site.without(table):
                assert self.stranger.post(way, "password, broken", {"password": chosen}).status_code == 500
        assert self.stranger.post(way, "password", {"password": chosen}).status_code == 200
        self.stranger.post(way, "password again", {"password": self.plant("password: too late")})

    # --- staff -------------------------------------------------------------------------------------------------------

    def staff(self) -> None:
        """Searches and filters with a secret in the address."""
        lists = ("vault/secret", "sending/credentials", "accounts/user", "servers/server", "audit/event", "engine/run",
                 "billing/ping", "accounts/letter", "domains/mailbox")  # fmt: skip
        for one in lists:
            for field in ("q", "state", "id__exact", "after", self.plant("admin: the name of a field")):
                params = {field: self.plant(f"admin: {field if len(field) < 12 else 'a name'}")}
                self.stella.get(f"/admin/{one}/", f"admin {one}", params=params)
        with self.site.without("vault_secret"):
            self.stella.get(
                "/admin/vault/secret/", "admin, broken", params={"q": self.plant("admin: broken search")}
            )
        said = {"action": self.plant("admin: an action"), "_selected_action": self.plant("admin: a row")}
        self.stella.post("/admin/engine/run/", "admin action", said)

    def read_by_staff(self) -> None:
        """The pages of what was kept."""
        for row, one in (
            (self._candidate(), "sending/credentials"),
            (self._candidate().secret, "vault/secret"),
        ):
            self.stella.get(f"/admin/{one}/{row.pk}/change/", f"admin page {one}")
        self.stella.get("/admin/audit/event/", "admin page audit/event")

    # --- machines ----------------------------------------------------------------------------------------------------

    def machines(self) -> None:
        """Agents, Gumroad and Amazon at their doors, right, wrong and while it breaks."""
        self._agents()
        self._gumroad()
        self._amazon()

    def _agents(self) -> None:
        server = str(self.domain.home)
        said = {"server": server, "key": "0" * 64, "seal_key": "AAAA", "facts": {}}
        for token in (self.plant("agent: wrong token"), self.plant("agent: long token") * 9):
            assert self._tell("enrol", json.dumps({**said, "token": token})).status_code in (400, 403)
        self._tell("enrol", json.dumps({**said, "server": self.plant("agent: as the server"), "token": "t"}))
        self._tell("enrol", f'{{"token": "{self.plant("agent: broken JSON")}"'.encode())
        bearer = f"Bearer {server}.{self.plant('agent: bearer', secrets.token_urlsafe(32))}"
        self._tell("report", json.dumps({"at": 1}), headers={"Authorization": bearer})
        with self.site.without("servers_server"):
            broken = self.plant("agent: token, broken", secrets.token_urlsafe(32))
            assert self._tell("enrol", json.dumps({**said, "token": broken})).status_code == 500
            assert (
                self._tell("report", json.dumps({"at": 1}), headers={"Authorization": bearer}).status_code
                == 500
            )

    def _tell(self, path: str, body: str | bytes, **more: Any) -> requests.Response:
        return self.stranger.post(f"/agent/v1/{path}", f"agent {path}", body, **more)

    def _gumroad(self) -> None:
        way = f"/hooks/gumroad/{self.site.env['GUMROAD_WEBHOOK_SECRET']}"
        form = {
            "resource_name": "sale",
            "sale_id": self.plant("ping: as the sale"),
            "custom_fields[pw]": self.plant("ping: a field"),
        }
        assert self.stranger.session.post(self.site.url + way, form).status_code == 200
        kind = self.plant("ping: as the kind", secrets.token_hex(15))
        strange = {"resource_name": kind, "x": self.plant("ping: in JSON")}
        self.stranger.session.post(self.site.url + way, json=strange)
        eventually(lambda: Alarm.objects.filter(says__contains=kind), "the alarm of the strange ping")
        self.stranger.post(
            f"/hooks/gumroad/{self.plant('ping: wrong secret', secrets.token_hex(20))}", "ping", b"x=1"
        )
        with self.site.without("billing_ping"):
            lost = self.stranger.session.post(self.site.url + way, {"x": self.plant("ping: lost")})
            assert lost.status_code == 503

    def _amazon(self) -> None:
        topic = Topic.objects.get(home=self.domain.home)
        self.plant("topic: its token", topic.token)
        way = f"/hooks/ses/{self.domain.home}/"
        told = {
            "TopicArn": topic.arn,
            "MessageId": "8a1f4b8e-0000-4000-8000-000000000001",
            "Type": "Notification",
        }
        known = {**told, "Message": self.plant("notice: from who knows the token")}
        other = {**told, "Message": self.plant("notice: from a stranger")}
        assert self.stranger.post(way + topic.token, "notice", json.dumps(known)).status_code == 200
        eventually(lambda: Notice.objects.get(message=told["MessageId"]).verdict, "the reading of the notice")
        self.stranger.post(
            way + self.plant("topic: wrong token", secrets.token_hex(20)), "notice", json.dumps(other)
        )
        self.stranger.post(way + topic.token, "notice", self.plant("notice: no JSON").encode())
        with self.site.without("sending_notice"):
            lost = {
                **told,
                "MessageId": "8a1f4b8e-0000-4000-8000-000000000002",
                "Message": self.plant("notice: lost"),
            }
            assert self.stranger.post(way + topic.token, "notice", json.dumps(lost)).status_code == 500
