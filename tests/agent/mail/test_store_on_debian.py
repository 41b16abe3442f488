"""On a real host: an address that passes on opens nothing of its last owner, and what is erased is nowhere on the disk."""

import http.client
import imaplib
import re
import socket
import urllib.parse
from uuid import UUID, uuid4, uuid5

import pytest

from tests.agent.mail.mail_host import MailHost, box, hashed, mail_host, secret
from tests.agent.mail.webmail import cookies
from tests.agent.mail.whole_host import HOSTNAME, WholeHost

pytestmark = pytest.mark.root

ANNA, BOB = "anna@firm.test", "bob@firm.test"
FIRST, SECOND = uuid4(), uuid4()
TOKEN = f"heron-{uuid4().hex}"  # stands in the first owner's mail and nowhere else
JOIN = """
import sqlite3, sys
rows = sqlite3.connect("/var/lib/mailat/mail/roundcube/data/roundcube.db")
friend, mine = open("/run/text").read().strip(), "SELECT user_id, '2026-01-01', ? FROM users WHERE username = ?"
rows.execute(f"INSERT INTO contacts (user_id, changed, name) {mine}", (friend, sys.argv[1]))
rows.commit()
"""
COUNT = """
import sqlite3, sys
rows = sqlite3.connect("/var/lib/mailat/mail/roundcube/data/roundcube.db")
mine = "SELECT COUNT(*) FROM contacts JOIN users USING (user_id) WHERE username = ?"
print(rows.execute(mine, sys.argv[1:]).fetchone()[0])
"""
# Files in memory and devices are no place where mail is kept. What is looked for is no argument: the journal has those.
NOWHERE = " ".join(f"--exclude-dir={name}" for name in ("proc", "sys", "dev", "run"))
SEARCH = f"grep -rlsF {NOWHERE} -f /run/text / || true"


@pytest.fixture(scope="module")
def host(whole: WholeHost) -> MailHost:
    """A firm in which one person after the other is anna."""
    host = mail_host(whole, mailboxes=[box(ANNA)])
    give_to(host, FIRST)
    return host


def give_to(host: MailHost, owner: UUID, password: str | None = None, **more: object) -> None:
    """This person is anna from now on, and everybody else in the firm is who they were."""
    host.whole.owners = owner
    one = box(ANNA) if password is None else box(ANNA, password=hashed(password))
    host.want(mailboxes=[one], **more)


def ident(owner: UUID) -> str:
    return str(uuid5(owner, ANNA))


def befriend(host: MailHost, friend: str) -> None:
    """Anna enters somebody into webmail's address book."""
    host.whole.put("/run/text", friend)
    host.whole.run("python3", "-c", JOIN, ANNA)


def friends(host: MailHost, name: str) -> int:
    """How many the address book of this name has."""
    return int(host.whole.run("python3", "-c", COUNT, name))


def webmail(host: MailHost, password: str) -> int:
    """The status of the page to which webmail's form leads: 302 for who is let in."""

    def work() -> int:
        _, given, page = ask(host, "GET", "/")
        (token,) = re.findall(r'name="_token" value="([^"]+)"', page)
        form = {"_task": "login", "_action": "login", "_token": token, "_user": ANNA, "_pass": password}
        return ask(host, "POST", "/?_task=login", urllib.parse.urlencode(form), cookies(given))[0]

    return host.laptop(work)


def ask(
    host: MailHost, method: str, path: str, body: str = "", cookie: str = ""
) -> tuple[int, dict[str, str], str]:
    door = http.client.HTTPSConnection(HOSTNAME, timeout=120)
    plain = socket.create_connection((host.whole.address, 443), timeout=120)
    door.sock = host.trusting.wrap_socket(plain, server_hostname=HOSTNAME)
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    door.request(method, path, body, kind)
    answer = door.getresponse()
    given = "\n".join(answer.headers.get_all("set-cookie") or [])
    return answer.status, {"set-cookie": given}, answer.read().decode()


def found(host: MailHost, text: str) -> list[str]:
    """Every file of the host in which this stands."""
    host.whole.put("/run/text", text)
    return host.whole.run("sh", "-c", SEARCH).split()


def test_whoever_has_the_address_first_uses_it(host: MailHost) -> None:
    assert host.write(ANNA, "For the first", TOKEN) == (250, "")
    assert TOKEN in host.read(ANNA, "For the first")
    assert webmail(host, secret(ANNA)) == 302
    befriend(host, "Zacharias")
    assert friends(host, ANNA) == 1
    assert host.submit(ANNA, "carol@outside.test", "From the first")[0] == 250
    assert ANNA in host.queue(), "there is no way out, so it waits"
    assert [path for path in found(host, TOKEN) if f"/srv/mail/firm.test/anna/{ident(FIRST)}/" in path]


def test_whoever_has_it_next_finds_it_empty_and_the_first_is_shut_out(host: MailHost) -> None:
    give_to(host, SECOND, "another-secret")

    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        host.imap(ANNA, lambda _door: None)
    assert webmail(host, secret(ANNA)) != 302
    assert host.imap(ANNA, lambda door: door.select("INBOX"), "another-secret") == ("OK", [b"0"])
    assert webmail(host, "another-secret") == 302
    assert friends(host, ANNA) == 0
    assert friends(host, ident(FIRST)) == 1
    assert ANNA not in host.queue(), "else its bounce would show what the first wrote"
    assert host.write(ANNA, "For the second") == (250, "")
    assert found(host, TOKEN), "what belongs to the first is kept"


def test_whoever_comes_back_has_everything_as_it_was(host: MailHost) -> None:
    give_to(host, FIRST)

    assert TOKEN in host.read(ANNA, "For the first")
    assert "For the second" not in host.subjects(ANNA)
    assert friends(host, ANNA) == 1


def test_a_mailbox_that_is_nobodys_takes_no_mail_and_keeps_what_it_has(host: MailHost) -> None:
    host.want(mailboxes=[])

    assert host.write(ANNA, "For nobody")[0] == 550
    assert found(host, TOKEN)


def test_what_an_order_names_is_nowhere_on_the_disk_and_that_is_reported(host: MailHost) -> None:
    give_to(host, SECOND, "another-secret", erase=[ident(FIRST)])

    said = host.whole.wait(lambda mail: mail["erased"])

    assert [one["id"] for one in said["erased"]] == [ident(FIRST)]
    assert found(host, TOKEN) == []
    assert found(host, "Zacharias") == []
    assert host.whole.run("sh", "-c", f"find / -xdev -name '*{ident(FIRST)}*'") == ""
    in_configuration = [path for path in found(host, ident(FIRST)) if "/mail/generations/" in path]
    assert in_configuration == []


def test_the_next_owner_keeps_everything(host: MailHost) -> None:
    assert "For the second" in host.subjects(ANNA)
    assert webmail(host, "another-secret") == 302


def test_it_is_told_until_the_order_no_longer_names_it(host: MailHost) -> None:
    give_to(host, SECOND, "another-secret", erase=[])

    host.whole.wait(lambda mail: mail["erased"] == [])
    assert "errors" not in host.whole.control.reports[-1]["mail"]


def test_an_agent_that_is_killed_while_it_deletes_goes_on_where_it_was(host: MailHost) -> None:
    give_to(host, FIRST)
    home = f"/srv/mail/firm.test/anna/{ident(FIRST)}"
    assert host.write(ANNA, "Once more") == (250, "")
    host.read(ANNA, "Once more")
    many = f'd={home}/Maildir/cur; i=0; while [ $i -lt 20000 ]; do : >"$d/$i.{TOKEN}"; i=$((i+1)); done'
    host.whole.run("sh", "-c", many)
    host.whole.want(mailboxes=[], erase=[ident(FIRST)])

    # As soon as the first is gone, and long before the last is.
    begun = f"while [ $(ls -U {home}/Maildir/cur | wc -l) -ge 20000 ]; do sleep .01; done"
    host.whole.run(
        "sh",
        "-c",
        f"{begun}; systemctl kill --signal=KILL mailat-agent.service; ls {home}/Maildir/cur | wc -l",
    )

    host.whole.wait(lambda mail: [one["id"] for one in mail["erased"]] == [ident(FIRST)])
    assert host.whole.run("find", "/srv/mail", "-name", f"*{TOKEN}*") == ""
    assert host.whole.run("find", "/srv/mail", "-name", "anna*") in ("", "/srv/mail/firm.test/anna\n")
