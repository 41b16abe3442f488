"""Who is let through which door that is neither the dashboard's nor the staff's; a door without a row here fails.

The dashboard's rows are in tests/dashboard/test_access.py, and the staff's doors all have one rule: test_staff.py.
"""

from dataclasses import dataclass

IN, PROVE = "/sign-in", "/prove"  # where one is led
Answer = int | str  # a status, or where one is led


@dataclass(frozen=True)
class Row:
    """What looking gives to a passer-by, to a person, and to the person later, who must show again who they are."""

    passer: Answer
    person: Answer
    later: Answer | None = None

    def of(self, who: str) -> Answer:
        if who == "passer-by":
            return self.passer
        return self.person if who == "person" or self.later is None else self.later


def the_same(answer: Answer) -> Row:
    return Row(answer, answer)


DOORS: dict[str, Row] = {
    "agent/v1/agent.pyz": the_same(200),
    "agent/v1/enrol": the_same(405),
    "agent/v1/report": the_same(405),
    "hooks/gumroad/<str:secret>": the_same(404),
    "hooks/ses/<uuid:home>/<str:token>": the_same(405),
    "healthz": the_same(200),
    ".well-known/mailat-signing-keys": the_same(200),
    "sign-in": Row(200, "/overview"),
    "sign-in/code": Row("/sign-in", "/overview"),
    "sign-in/link/<str:token>": the_same(410),
    "sign-out": the_same(405),
    "sign-in/passkey": Row(405, 405),
    "sign-in/second": Row("/sign-in", "/overview"),
    "sign-in/give-up": Row(405, 405),
    "^passkeys/(?P<purpose>add|sign_in|second|prove)/question$": the_same(405),
    "prove": Row(IN, "/overview", 200),
    "prove/link/<str:token>": the_same(410),
    "account/security": Row(IN, 200),
    "account/security/passkeys/new": Row(IN, 200, PROVE),
    "account/security/app": Row(IN, 200, PROVE),
    "account/security/codes": the_same(405),
}

# The dashboard's pages that ask again, by looking or by one of their forms' `do` ("" is any form).
LOOKING = "looking"
ASK_AGAIN: dict[str, set[str]] = {
    "server-exports": {"ask", "delete"},
    "server-export-file": {LOOKING},
    "server-keep": {""},
    "server-rebuild": {""},
    "domain": {"alias"},
    "alias": {LOOKING, ""},
    "mailbox-new": {LOOKING, ""},
    "mailbox": {"forward", "revoke", "suspend", "invite", "release"},
    "mailbox-remove": {LOOKING, ""},
    "app-password-new": {""},
    "domain-remove": {LOOKING, ""},
    "mail-sending-of": {"set", "remove"},
    "account-people": {LOOKING, ""},
    "account-person": {LOOKING, ""},
    "account-leave": {LOOKING, ""},
    "account-address": {LOOKING, ""},
    "account-recovery": {LOOKING, ""},
}
# Where a member of an account may send a form: it is about themselves. Every other form of the dashboard is for owners.
OF_A_MEMBER = {
    "account",
    "account-choose",
    "account-sessions",
    "account-address",
    "account-address-stop",
    "account-recovery",
    "account-recovery-stop",
    "account-leave",
}
OTHER_DO = ["settings", "vacation", "catch-all", "mta-sts", "resume", "restore", "no such do"]
DO = [*sorted(set().union(*ASK_AGAIN.values()) - {LOOKING}), *OTHER_DO]
