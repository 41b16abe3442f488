"""Tell the control plane, once, who speaks for this server."""

import os
import platform

from . import __version__
from .config import Config
from .identity import Identity
from .transport import Transport

PATH = "/agent/v1/enrol"


def enrol(config: Config, identity: Identity, transport: Transport) -> dict[str, object]:
    """Trade the one-time token for the right to report; asked again with the same key, the answer is the same."""
    request: dict[str, object] = {
        "server": config.server,
        "token": config.token,
        "key": identity.key,
        "seal_key": identity.seal_key,
        "facts": facts(),
    }
    return transport.post(PATH, request)


def facts() -> dict[str, str | None]:
    """What the host is: name of the system, kernel, version of this program."""
    return {"os": _system(), "kernel": os.uname().release, "agent_version": __version__}


def _system() -> str | None:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME")
    except (OSError, ValueError):
        return None
