"""What can be ordered: places, machine types and images, as the vendor had them in late 2026.

Prices have the vendor's shape and about its size (net, without VAT); they are the stand-in's own, not an offer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from sandbox.hetzner.errors import ApiError, invalid

Json = dict[str, Any]
TERABYTE = 1024**4
EUROPE, AMERICA, ASIA = ("fsn1", "nbg1", "hel1"), ("ash", "hil"), ("sin",)
EVERYWHERE = EUROPE + AMERICA + ASIA


def _location(id: int, name: str, city: str, country: str, at: tuple[float, float], zone: str) -> Json:
    return {
        "id": id,
        "name": name,
        "description": f"{city} DC Park 1" if zone == "eu-central" else city,
        "country": country,
        "city": city,
        "latitude": at[0],
        "longitude": at[1],
        "network_zone": zone,
    }


LOCATIONS = [
    _location(1, "fsn1", "Falkenstein", "DE", (50.47612, 12.370071), "eu-central"),
    _location(2, "nbg1", "Nuremberg", "DE", (49.452102, 11.076665), "eu-central"),
    _location(3, "hel1", "Helsinki", "FI", (60.169855, 24.938379), "eu-central"),
    _location(4, "ash", "Ashburn, VA", "US", (39.045821, -77.487073), "us-east"),
    _location(5, "hil", "Hillsboro, OR", "US", (45.54222, -122.951924), "us-west"),
    _location(6, "sin", "Singapore", "SG", (1.283333, 103.833333), "ap-southeast"),
]


@dataclasses.dataclass(frozen=True)
class MachineType:
    """`memory` and `disk` in GB, `price` in euros a month."""

    id: int
    name: str
    cores: int
    memory: int
    disk: int
    price: float
    places: tuple[str, ...]

    @property
    def architecture(self) -> str:
        return "arm" if self.name.startswith("cax") else "x86"

    @property
    def dedicated(self) -> bool:
        return self.name.startswith("ccx")


TYPES = [
    MachineType(22, "cpx11", 2, 2, 40, 5.99, AMERICA),
    MachineType(23, "cpx21", 3, 4, 80, 10.99, AMERICA),
    MachineType(24, "cpx31", 4, 8, 160, 19.99, AMERICA),
    MachineType(25, "cpx41", 8, 16, 240, 37.99, AMERICA),
    MachineType(26, "cpx51", 16, 32, 360, 74.99, AMERICA),
    MachineType(45, "cax11", 2, 4, 40, 5.99, EUROPE),
    MachineType(93, "cax21", 4, 8, 80, 10.49, EUROPE),
    MachineType(94, "cax31", 8, 16, 160, 20.49, EUROPE),
    MachineType(95, "cax41", 16, 32, 320, 40.49, EUROPE),
    MachineType(96, "ccx13", 2, 8, 80, 42.99, EVERYWHERE),
    MachineType(97, "ccx23", 4, 16, 160, 85.99, EVERYWHERE),
    MachineType(98, "ccx33", 8, 32, 240, 170.99, EVERYWHERE),
    MachineType(99, "ccx43", 16, 64, 360, 340.99, EVERYWHERE),
    MachineType(108, "cpx12", 1, 2, 40, 11.49, EUROPE + ASIA),
    MachineType(109, "cpx22", 2, 4, 80, 19.49, EUROPE + ASIA),
    MachineType(110, "cpx32", 4, 8, 160, 35.49, EUROPE + ASIA),
    MachineType(111, "cpx42", 8, 16, 320, 69.49, EUROPE + ASIA),
    MachineType(112, "cpx52", 12, 24, 480, 99.49, EUROPE + ASIA),
    MachineType(113, "cpx62", 16, 32, 640, 138.49, EUROPE + ASIA),
    MachineType(114, "cx23", 2, 4, 40, 5.49, EUROPE),
    MachineType(115, "cx33", 4, 8, 80, 8.49, EUROPE),
    MachineType(116, "cx43", 8, 16, 160, 15.49, EUROPE),
    MachineType(117, "cx53", 16, 32, 320, 29.49, EUROPE),
]


def type_json(kind: MachineType, in_stock: Callable[[str, str], bool]) -> Json:
    """The type with what is in stock where; there is no `deprecated` any more, each location has its own."""
    return {
        "id": kind.id,
        "name": kind.name,
        "description": kind.name.upper(),
        "category": "General Purpose" if kind.dedicated else "Cost-Optimized",
        "cores": kind.cores,
        "memory": kind.memory,
        "disk": kind.disk,
        "deprecation": None,
        "architecture": kind.architecture,
        "cpu_type": "dedicated" if kind.dedicated else "shared",
        "storage_type": "local",
        "prices": [_price(kind.price, place) for place in kind.places],
        "locations": [_stock(kind, place, in_stock) for place in kind.places],
    }


def _stock(kind: MachineType, place: str, in_stock: Callable[[str, str], bool]) -> Json:
    available = in_stock(kind.name, place)
    return {
        "id": location(place)["id"],
        "name": place,
        "deprecation": None,
        "available": available,
        "recommended": available,
    }


def _price(month: float, place: str) -> Json:
    traffic = 20 if place in EUROPE else 1
    return {
        "location": place,
        "price_hourly": _money(month / 624),
        "price_monthly": _money(month),
        "included_traffic": traffic * TERABYTE,
        "price_per_tb_traffic": _money(1.0),
    }


def _money(net: float) -> dict[str, str]:
    return {"net": f"{net:.10f}", "gross": f"{net * 1.19:.10f}"}


def _image(id: int, flavor: str, version: str, architecture: str) -> Json:
    return {
        "id": id,
        "type": "system",
        "status": "available",
        "name": f"{flavor}-{version}",
        "description": f"{flavor.title()} {version}",
        "image_size": None,
        "disk_size": 5,
        "created": "2025-08-12T09:00:00+00:00",
        "created_from": None,
        "bound_to": None,
        "os_flavor": flavor,
        "os_version": version,
        "rapid_deploy": True,
        "protection": {"delete": False},
        "deprecated": None,
        "deleted": None,
        "labels": {},
        "architecture": architecture,
    }


IMAGES = [
    _image(114690387, "debian", "12", "x86"),
    _image(114690389, "debian", "12", "arm"),
    _image(310557660, "debian", "13", "x86"),
    _image(310557661, "debian", "13", "arm"),
    _image(161547269, "ubuntu", "24.04", "x86"),
    _image(161547270, "ubuntu", "24.04", "arm"),
    _image(402011311, "ubuntu", "26.04", "x86"),
    _image(402011312, "ubuntu", "26.04", "arm"),
]


def location(key: str) -> Json:
    """The location of that id or name; raises ApiError."""
    for one in LOCATIONS:
        if key in (one["name"], str(one["id"])):
            return one
    raise invalid("location", f"location '{key}' does not exist")


def machine_type(key: str) -> MachineType:
    """The type of that id or name; raises ApiError."""
    for kind in TYPES:
        if key in (kind.name, str(kind.id)):
            return kind
    raise invalid("server_type", f"server type '{key}' does not exist")


def image(key: str, architecture: str, snapshots: list[Json]) -> Json:
    """The image of that id or name for an architecture; snapshots have no name. Raises ApiError."""
    named = [one for one in IMAGES + snapshots if key in (one["name"], str(one["id"]))]
    fitting = [one for one in named if one["architecture"] == architecture]
    if not fitting:
        raise invalid(
            "image", f"image '{key}' does not exist" if not named else "image has another architecture"
        )
    if fitting[0]["status"] != "available":
        raise invalid("image", "image is not available yet")
    return fitting[0]


def disk_of(server: Any) -> int:
    """GB of the disk that the server has: one that changed its type may have kept the smaller one."""
    return int(server["disk"] or machine_type(server["type"]).disk)


def by_id(items: list[Json], wanted: int, what: str) -> Json:
    """The item of that id; raises ApiError."""
    for item in items:
        if item["id"] == wanted:
            return item
    raise ApiError("not_found", f"{what} with ID '{wanted}' not found")
