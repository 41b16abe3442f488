"""What a new server must show before it is called ready: a mail that went out, came back and could be read."""

import time
from typing import Any

from django.utils.translation import gettext as _

from servers.models import Agent


def lacks(agent: Agent | None, version: int) -> list[str]:
    """What is still missing, as codes for `says`; empty where everything was shown."""
    report: dict[str, Any] = agent.report if agent else {}
    if report.get("applied", 0) < version:
        return ["report"]
    failed = sorted(name for name, state in report.get("services", {}).items() if state == "failed")
    figures = [name for name in ("disk_total", "mem_total") if not report.get(name)]
    return failed + figures + _of_mail(report)


def _of_mail(report: dict[str, Any]) -> list[str]:
    mail = report.get("mail")
    if mail is None or report.get("undone"):
        return ["settings"]
    missing = [f"probe:{name}" for name, why in mail["probes"].items() if why]
    if not mail["probes"]:
        missing.append("probes")
    if not _is_certified(mail["certificates"]):
        missing.append("certificate")
    canary = mail["canary"] or {}
    if canary.get("seconds") is None or canary.get("misses"):
        missing.append("canary")
    return missing


def _is_certified(certificates: list[dict[str, Any]]) -> bool:
    """Whether the first certificate, which is that of the server's own name, is there and good."""
    first = certificates[0] if certificates else {}
    return bool(first) and not first["error"] and (first["until"] or 0) > time.time()


def says(code: str) -> str:
    """What is waited for, in a customer's words."""
    kind, _colon, what = code.partition(":")
    words = {
        "settings": _("its settings"),
        "probes": _("its services"),
        "probe": _("the service %s") % what,
        "certificate": _("its certificate"),
        "canary": _("the test mail that goes out and comes back"),
    }
    return words.get(kind, code)
