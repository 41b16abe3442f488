"""What a mail program would see of a store on a disk: folders, and of each message bytes, flags and date."""

from hashlib import sha256
from pathlib import Path

Message = tuple[str, str, int]
Folders = dict[str, list[Message]]


def seen(home: Path) -> Folders:
    """The folders of a home that have messages."""
    found: Folders = {}
    maildir = home / "Maildir"
    for path in maildir.rglob("*"):
        if path.is_file() and path.parent.name in ("cur", "new"):
            flags = "".join(sorted(path.name.partition(":2,")[2]))
            message = (sha256(path.read_bytes()).hexdigest(), flags, int(path.stat().st_mtime))
            folder = path.parent.parent.relative_to(maildir).as_posix()
            found.setdefault("" if folder == "." else folder, []).append(message)
    return {folder: sorted(messages) for folder, messages in sorted(found.items())}


def inside(folders: Folders, root: str) -> Folders:
    """What lies in a folder, as if it were the whole mailbox."""
    return {name.removeprefix(root): found for name, found in folders.items() if name.startswith(root)}
