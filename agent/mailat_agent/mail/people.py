"""What people are called, so that webmail writes in their name. A part of its own: a new name interrupts nobody."""

import json

from .part import File, Host, Part
from .roundcube import FOLDER, USER
from .state import Mail


def files(mail: Mail, host: Host) -> list[File]:
    """The names of those mailboxes that have one, by address."""
    del host
    names = {box.address: box.name for box in mail.mailboxes if box.name}
    text = json.dumps(names, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return [File(f"{FOLDER}/names.json", text, 0o640, group=USER)]


PART = Part(name="people", files=files)
