"""One mailbox as it is at one moment, read without stopping it: its folders, its messages with flags and dates, its filters."""

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .maildir import HALVES, MAILDIR, Shadow, opened, remove_tree
from .manifest import flags
from .wire import CHUNK

KEYWORDS = "dovecot-keywords"
WORD = re.compile(r"[A-Za-z0-9$_&][!#-+\--~]{0,100}")  # of a mark, as mail programs make them
OPEN = Path("/proc/self/fd")
MOST_SMALL = 256 * 1024  # bytes of a file of settings
MOST_SCRIPTS = 200
ACTIVE, SCRIPTS = ".dovecot.sieve", "sieve"


@dataclass(frozen=True)
class Message:
    """Where it lies; flags and keywords as words, its date in seconds."""

    name: str
    half: str
    flags: str
    at: float
    size: int

    @property
    def is_recent(self) -> bool:
        return self.half == "new"


@dataclass
class Box:
    """A mailbox, its messages held by links below `held`, so that nothing that happens to it meanwhile changes what is read.

    `place` is its home, open already, so no link on the way there leads elsewhere. Files of other users than the mailbox' own are
    none of its mail.
    """

    place: int
    held: Path
    owner: int

    @property
    def home(self) -> Path:
        """A way to what is open."""
        return OPEN / str(self.place)

    def hold(self) -> None:
        """Take hold of what is there now."""
        Shadow(self.home, self.held).follow()

    def folders(self) -> list[str]:
        """As their directories are called, the inbox first; it is there also where nothing ever came."""
        found = {folder for folder, _half in Shadow(self.held, self.held).halves()}
        return sorted(found | {""})

    def size(self) -> int:
        """Bytes of what lies there now, whoever may come and go; nothing is held."""
        return sum(_bytes(self.home, folder, half) for folder, half in Shadow(self.home, self.home).halves())

    def messages(self, folder: str) -> Iterator[Message]:
        """Those of a folder, in the order in which they came."""
        for half in HALVES:
            with contextlib.suppress(FileNotFoundError), opened(self._place(folder, half)) as place:
                for name in sorted(os.listdir(place)):
                    about = os.stat(name, dir_fd=place, follow_symlinks=False)
                    if stat.S_ISREG(about.st_mode) and about.st_uid == self.owner:
                        yield Message(name, half, flags(name), about.st_mtime, about.st_size)

    @contextlib.contextmanager
    def reading(self, folder: str, message: Message) -> Iterator[int]:
        """Its file, open."""
        with opened(self._place(folder, message.half)) as place:
            descriptor = os.open(message.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
            try:
                yield descriptor
            finally:
                os.close(descriptor)

    def pieces(self, folder: str, message: Message) -> Iterator[bytes]:
        """Its bytes."""
        with self.reading(folder, message) as descriptor:
            while piece := os.read(descriptor, CHUNK):
                yield piece

    def keywords(self, folder: str) -> dict[str, str]:
        """Which letter of a message's name stands for which of its owner's words."""
        found = {}
        for line in (
            self.small(MAILDIR, *([folder] if folder else []), KEYWORDS)
            .decode("utf-8", "replace")
            .splitlines()
        ):
            number, _, word = line.partition(" ")
            if number.isdecimal() and int(number) < 26 and WORD.fullmatch(word):
                found[chr(ord("a") + int(number))] = word
        return found

    def small(self, *path: str) -> bytes:
        """A file of settings; nothing where there is none, or it is no file of the owner's."""
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            place = self.place
            for part in path[:-1]:
                place = stack.enter_context(opened(part, place))
            descriptor = os.open(path[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
            stack.callback(os.close, descriptor)
            about = os.fstat(descriptor)
            if stat.S_ISREG(about.st_mode) and about.st_uid == self.owner:
                return os.read(descriptor, MOST_SMALL)
        return b""

    def scripts(self) -> Iterator[tuple[str, bytes]]:
        """The owner's filters, by their names."""
        names: list[str] = []
        with contextlib.suppress(OSError), opened(SCRIPTS, self.place) as place:
            names = sorted(name for name in os.listdir(place) if name.endswith(".sieve"))
        for name in names[:MOST_SCRIPTS]:
            yield name.removesuffix(".sieve"), self.small(SCRIPTS, name)

    def active_script(self) -> str:
        """The name of the filter that is in use; "" where none is."""
        try:
            return os.path.basename(os.readlink(ACTIVE, dir_fd=self.place)).removesuffix(".sieve")
        except OSError:
            return ""

    def _place(self, folder: str, half: str) -> Path:
        return self.held / MAILDIR / folder / half


@contextlib.contextmanager
def box(root: Path, home: Path, held: Path) -> Iterator[Box]:
    """The mailbox whose home this is, below `root`; what is held of it goes afterwards.

    To a mailbox that never got mail belongs no directory yet: it is empty. Raises OSError where a link stands in its place.
    """
    with contextlib.ExitStack() as stack:
        stack.callback(remove_tree, held)
        remove_tree(held)
        held.mkdir(mode=0o700, parents=True)
        try:
            place = stack.enter_context(opened(root))
            for part in home.relative_to(root).parts:
                place = stack.enter_context(opened(part, place))
        except FileNotFoundError:
            place = stack.enter_context(opened(held))
        yield Box(place, held, os.fstat(place).st_uid)


def _bytes(home: Path, *path: str) -> int:
    with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
        place = stack.enter_context(opened(home / MAILDIR))
        for part in path:
            place = stack.enter_context(opened(part or ".", place))
        with os.scandir(place) as entries:
            return sum(one.stat(follow_symlinks=False).st_size for one in entries)
    return 0
