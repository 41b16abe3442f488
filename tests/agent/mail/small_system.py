"""A mail system of two small daemons in a directory: files, checkers, reloads and probes that are real programs."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from agent.mailat_agent.mail import commands
from agent.mailat_agent.mail.change import Change
from agent.mailat_agent.mail.generations import Rendered, Store
from agent.mailat_agent.mail.part import File, Part

ME = (Path().owner(), Path().group())


class SmallSystem:
    """Each daemon runs on the copy of its file that it took at its last reload; one that read "broken" answers no more."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.etc = root / "etc"
        self.etc.mkdir(parents=True, exist_ok=True)
        self.store = Store(root / "lib/mailat/mail", self.etc / "mailat/mail")
        self.parts = (self._part("smtpd"), self._part("imapd"))

    def _part(self, name: str) -> Part:
        conf, running, log = (
            self.store.current / name / "conf",
            self.root / f"{name}.running",
            self.root / "told",
        )
        reload = f'grep -q unloadable "{conf}" && {{ echo "error: no room" >&2; exit 1; }}; cp "{conf}" "{running}"'
        return Part(
            name=name,
            files=lambda _mail, _host: [],
            links={str(self.etc / name / "daemon.conf"): f"{name}/conf"},
            check=(("sh", "-c", f'! grep -n nonsense "$0/{name}/conf" >&2'),),
            reload=(("sh", "-c", f'{reload}; echo {name} >> "{log}"'),),
        )

    def change(self) -> Change:
        """As a process that was just started has it."""
        return Change(self.parts, self.probe, self.store, self._check)

    def bring(self, smtpd: str, imapd: str = "imap") -> None:
        self.change().bring(rendered(smtpd, imapd))

    def probe(self, names: Iterable[str] | None) -> Mapping[str, str]:
        wanted = ("smtpd", "imapd") if names is None else names
        return {name: "" if self.works(name) else "nobody answers" for name in wanted}

    def works(self, name: str) -> bool:
        return "broken" not in (self.runs_on(name) or "broken")

    def runs_on(self, name: str) -> str:
        path = self.root / f"{name}.running"
        return path.read_text() if path.exists() else ""

    def told(self) -> list[str]:
        """Who was reloaded since the last question."""
        path = self.root / "told"
        names = path.read_text().split() if path.exists() else []
        path.unlink(missing_ok=True)
        return names

    def conf(self, name: str) -> str:
        """What the system's own place holds."""
        return (self.etc / name / "daemon.conf").read_text()

    def _check(self, command: Sequence[str], _links: Mapping[str, str], staged: Path, _current: Path) -> None:
        commands.run([*command, str(staged)])


def rendered(smtpd: str, imapd: str = "imap") -> Rendered:
    """The files of both daemons; the first's are a secret."""
    owner, group = ME
    return {
        "smtpd": [File("smtpd/conf", smtpd, mode=0o600, owner=owner, group=group)],
        "imapd": [File("imapd/conf", imapd, owner=owner, group=group)],
    }
