"""A host's mail on a disk: homes, generations that serve them, webmail's database and the counters of sending."""

import base64
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from agent.mailat_agent.mail import addresses, policy_state, roundcube
from agent.mailat_agent.mail.generations import Store
from agent.mailat_agent.mail.owners import USERS, Owners
from agent.mailat_agent.mail.part import STORE
from agent.mailat_agent.mail.state import Mail, Mailbox, read
from agent.mailat_agent.mail.store import Eraser
from tests.agent.orders import mail, mailbox

ADDRESS = "anna@firm.test"
ANNA = "aaaaaaaa-0000-4000-8000-000000000001"  # had the address first
BERTA = "bbbbbbbb-0000-4000-8000-000000000002"  # has it after her
SCHEMA = """
CREATE TABLE users (user_id integer NOT NULL PRIMARY KEY, username varchar(128) NOT NULL, mail_host varchar(128) NOT NULL);
CREATE UNIQUE INDEX ix_users_username ON users(username, mail_host);
CREATE TABLE contacts (contact_id integer NOT NULL PRIMARY KEY, user_id integer NOT NULL
  REFERENCES users (user_id) ON DELETE CASCADE ON UPDATE CASCADE, name varchar(128) NOT NULL);
CREATE TABLE session (sess_id varchar(128) NOT NULL PRIMARY KEY, vars text NOT NULL);
"""


class SmallStore:
    """What lies in a directory; `killed` processes and new ones see the same."""

    def __init__(self, root: Path) -> None:
        self.root = root / "srv/mail"
        self.root.mkdir(parents=True)
        self.generations = Store(root / "lib", root / "etc/mail")
        self.generations.ready()
        self.home = self.generations.home
        self._make_webmail()

    @property
    def owners(self) -> Owners:
        return Owners(self.home, self.generations.current)

    @property
    def eraser(self) -> Eraser:
        return Eraser(self.generations, self.root)

    def lay(self, owner: str, address: str = ADDRESS, text: str = "Dear Anna") -> Path:
        """A home with a mail in it."""
        home = self.place(owner, address)
        folder = home / "Maildir/cur"
        folder.mkdir(parents=True)
        (folder / "1.mail:2,S").write_text(text)
        return home

    def place(self, owner: str, address: str = ADDRESS) -> Path:
        return self.root / Path(addresses.home(address, owner)).relative_to(STORE)

    def serve(self, *boxes: tuple[str, str]) -> int:
        """A generation that delivers to these addresses of these owners, in force."""
        number = max([0, *self.generations.numbers()]) + 1
        path = self.generations.place(number) / USERS
        path.parent.mkdir(parents=True)
        path.write_text(
            "".join(f"{at}::5000:5000::{addresses.home(at, who)}::userdb_script=x\n" for at, who in boxes)
        )
        self.generations.switch(number)
        return number

    def _make_webmail(self) -> None:
        path = self.home / roundcube.HOME / roundcube.DATABASE
        path.parent.mkdir(parents=True)
        with closing(sqlite3.connect(path)) as rows:
            rows.executescript(SCHEMA)

    def use(self, name: str, friend: str) -> None:
        """Somebody signs in to webmail under this name, keeps a friend's address, and sends a mail."""
        with self._webmail() as rows, rows:
            user = rows.execute("INSERT INTO users VALUES (NULL, ?, 'post')", (name,)).lastrowid
            rows.execute("INSERT INTO contacts VALUES (NULL, ?, ?)", (user, friend))
            said = f'language|s:5:"en_US";user_id|i:{user};username|s:{len(name)}:"{name}";'
            rows.execute(
                "INSERT INTO session VALUES (?, ?)",
                (f"session of {friend}'s", base64.b64encode(said.encode()).decode()),
            )
        with policy_state.opened(self.home) as state:
            state.execute("INSERT INTO sent VALUES (?, 1.0, 7)", (name,))
            state.execute("INSERT INTO stopped VALUES (?, 1.0, 'too much', 3)", (name,))

    def _webmail(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self.home / roundcube.HOME / roundcube.DATABASE))

    def friends(self, name: str) -> list[str]:
        """Whom the address book under this name has."""
        with self._webmail() as rows:
            query = "SELECT name FROM contacts JOIN users USING (user_id) WHERE username = ?"
            return [str(row[0]) for row in rows.execute(query, (name,))]

    def sessions(self) -> int:
        with self._webmail() as rows:
            return int(rows.execute("SELECT COUNT(*) FROM session").fetchone()[0])

    def sent(self, name: str) -> int:
        with policy_state.opened(self.home) as state:
            query = "SELECT TOTAL(recipients) FROM sent WHERE mailbox = ?"
            return int(state.execute(query, (name,)).fetchone()[0])

    def bytes_of(self, folder: Path) -> bytes:
        """All that can be read in a directory's files, whether it counts or not."""
        return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def wanted(*boxes: tuple[str, str], erase: Iterable[str] = ()) -> Mail:
    """An order for these addresses of these owners."""
    return read(mail(mailboxes=[mailbox(at, id=who) for at, who in boxes], erase=list(erase)))


def box(order: Mail) -> Mailbox:
    (only,) = order.mailboxes
    return only
