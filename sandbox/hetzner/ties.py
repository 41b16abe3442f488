"""Which primary address belongs to which server, and which stay when their server ends."""

from __future__ import annotations

import json
import sqlite3

from sandbox.hetzner.errors import ApiError, not_found
from sandbox.hetzner.store import now

KINDS = ("ipv4", "ipv6")


def make(db: sqlite3.Connection, kind: str, ip: str, location: str) -> sqlite3.Row:
    """A new address that goes with its server."""
    row = db.execute(
        "insert into addresses (kind, ip, location, auto_delete, name, labels, dns_ptr, created)"
        " values (?, ?, ?, 1, '', '{}', '{}', ?) returning id",
        [kind, ip, location, now()],
    ).fetchone()
    db.execute("update addresses set name = 'primary_ip-' || id where id = ?", [row["id"]])
    return living(db, row["id"])


def living(db: sqlite3.Connection, address_id: int) -> sqlite3.Row:
    """The address of that id; raises ApiError."""
    row = db.execute("select * from addresses where id = ? and gone is null", [address_id]).fetchone()
    if row is None:
        raise not_found("primary_ip", address_id)
    return row


def free(db: sqlite3.Connection, address_id: int, kind: str, location: str) -> sqlite3.Row:
    """The address of that id, if a new server there can have it; raises ApiError."""
    row = living(db, address_id)
    if row["server"]:
        raise ApiError("primary_ip_assigned", "primary IP is already assigned")
    if row["kind"] != kind:
        raise ApiError("primary_ip_version_mismatch", f"primary IP is not {kind}")
    if row["location"] != location:
        raise ApiError("primary_ip_datacenter_mismatch", "primary IP is in another location")
    return row


def tie(db: sqlite3.Connection, address: sqlite3.Row, server_id: int) -> None:
    """The server has it from now on, with the names that it points to."""
    server = db.execute("select * from servers where id = ?", [server_id]).fetchone()
    pointers = {**json.loads(server["dns_ptr"]), **json.loads(address["dns_ptr"])}
    db.execute("update addresses set server = ? where id = ?", [server_id, address["id"]])
    change = f"update servers set {address['kind']} = ?, dns_ptr = ? where id = ?"
    db.execute(change, [address["ip"], json.dumps(pointers), server_id])


def untie(db: sqlite3.Connection, address: sqlite3.Row) -> None:
    """It belongs to no server, and keeps its names."""
    server = db.execute("select * from servers where id = ?", [address["server"]]).fetchone()
    own, others = split(json.loads(server["dns_ptr"]), address["kind"])
    db.execute(
        "update addresses set server = null, dns_ptr = ? where id = ?", [json.dumps(own), address["id"]]
    )
    change = f"update servers set {address['kind']} = '', dns_ptr = ? where id = ?"
    db.execute(change, [json.dumps(others), server["id"]])


def part(db: sqlite3.Connection, server_id: int) -> None:
    """The server ends: its addresses go with it, or stay where they were told to."""
    rows = db.execute("select * from addresses where server = ? and gone is null", [server_id]).fetchall()
    for row in rows:
        if row["auto_delete"]:
            db.execute("update addresses set gone = ?, server = null where id = ?", [now(), row["id"]])
        else:
            untie(db, row)


def by_server(db: sqlite3.Connection) -> dict[tuple[int, str], int]:
    """Ids of addresses by server and kind."""
    rows = db.execute("select * from addresses where server is not null and gone is null")
    return {(row["server"], row["kind"]): row["id"] for row in rows.fetchall()}


def split(pointers: dict[str, str], kind: str) -> tuple[dict[str, str], dict[str, str]]:
    """Those of addresses of that kind, and the others."""
    own = {ip: name for ip, name in pointers.items() if (":" in ip) == (kind == "ipv6")}
    return own, {ip: name for ip, name in pointers.items() if ip not in own}
