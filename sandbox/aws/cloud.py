"""Everything that the cloud consists of, over one store."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

from sandbox.aws.iam import Iam, Key
from sandbox.aws.identities import Identities
from sandbox.aws.regions import Regions
from sandbox.aws.sets import Sets
from sandbox.aws.store import Store
from sandbox.aws.testers import Testers
from sandbox.aws.topics import Topics
from sandbox.internet.names import Names


class Cloud:
    """`names` gives what stands in the DNS; `home` is the sandbox's."""

    def __init__(self, home: pathlib.Path, names: Callable[[], Names]) -> None:
        self.home, self.store = home, Store(home)
        self.iam, self.regions = Iam(self.store), Regions(self.store)
        self.identities = Identities(self.store, names)
        self.testers = Testers(home, self.store, self.identities)
        self.topics = Topics(self.store)
        self.sets = Sets(self.store, self.topics)


@dataclasses.dataclass(frozen=True)
class Call:
    """A request that was signed by a key and may be done."""

    cloud: Cloud
    key: Key
    region: str
    given: dict[str, Any]
    url: str

    @property
    def account(self) -> str:
        return self.key.account
