"""One project of the stand-in: its memory, its faults, its machines."""

from __future__ import annotations

import dataclasses
import ipaddress

from sandbox.hetzner.faults import Faults
from sandbox.hetzner.machines import Machines
from sandbox.hetzner.snapshots import Snapshots
from sandbox.hetzner.store import Store


@dataclasses.dataclass(frozen=True)
class Project:
    """What the doors work with."""

    store: Store
    faults: Faults
    machines: Machines
    snapshots: Snapshots
    default_server_limit: int

    @property
    def server_limit(self) -> int:
        return self.store.setting("server_limit", self.default_server_limit)

    @property
    def network(self) -> ipaddress.IPv4Network:
        return self.machines.hosts.network

    def in_stock(self, server_type: str, location: str) -> bool:
        return not self.faults.pending("out_of_stock", "create_server", server_type, location)
