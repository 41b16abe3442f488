"""After an update: does mail still work? If not, a restart; if that does not help, back to what worked."""

import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from ..log import say
from . import daemons, kept, packages
from .chore import Situation
from .ledger import TAKING_BACK, Ledger, Trial
from .proof import Probe, Verdict

UNIT = "mailat-take-back.service"  # of its own, so that it ends well even if the agent does not
PATIENCE = 900.0  # seconds
KEEP_CONFIGURATION = ("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold")


def examine(situation: Situation, ledger: Ledger, trial: Trial, probe: Probe) -> None:
    """Bring a trial to its end, from wherever an earlier life left it; the ledger is written at each turn."""
    home, verdict = situation.host.home, Verdict(situation, probe, trial.fine)
    if trial.stage != TAKING_BACK:
        trial.why = _prove(situation, verdict)
        back = _to_take_back(trial)
        if not trial.why or not back:
            _conclude(ledger, trial.why)
            ledger.write(home)
            return
        trial.stage = TAKING_BACK
        ledger.write(home)
    _take_back(situation, ledger, trial, verdict)
    ledger.write(home)


def _prove(situation: Situation, verdict: Verdict) -> str:
    with situation.busy:
        daemons.restart_outdated()
    why = verdict.why_not()
    if why:
        say("after an update something failed; restarting the mail system")
        with situation.busy:
            daemons.restart_all()
        why = verdict.why_not()
    return why


def _to_take_back(trial: Trial) -> dict[str, str]:
    """Those of the mail system's packages that the update changed, with the versions before."""
    mine = {package.name for package in kept.ours(packages.installed())}
    return {name: version for name, version in trial.before.items() if name in mine}


def _take_back(situation: Situation, ledger: Ledger, trial: Trial, verdict: Verdict) -> None:
    home, back = situation.host.home, _to_take_back(trial)
    say("taking an update back")
    with situation.busy:
        trouble = reinstall(home, back)
        daemons.restart_all()
    still = verdict.why_not()
    if still:
        why = f"{trial.why}; the versions before did not help{f' ({trouble})' if trouble else ''}: {still}"
        _hold(back, False)
        _conclude(ledger, why)
        return
    _hold(back, True)
    subprocess.run(["postqueue", "-f"], capture_output=True, timeout=60, check=False)
    now = time.time()
    for name in back:
        failed = trial.after[name]
        ledger.held[name] = failed
        ledger.taken_back.append({"package": name, "version": failed, "why": trial.why, "at": now})
    ledger.applied = [
        fix
        for fix in ledger.applied
        if back.get(fix["package"]) is None or fix["to"] != trial.after[fix["package"]]
    ]
    _conclude(ledger, "")


def _conclude(ledger: Ledger, why: str) -> None:
    ledger.after = {"at": time.time(), "ok": not why, "why": why}
    ledger.trial = None


def reinstall(home: Path, versions: dict[str, str]) -> str:
    """Install these versions over newer ones; returns what went wrong. Repeating it is harmless."""
    files = [kept.find(home, name, version) for name, version in versions.items()]
    paths = [str(file) for file in files if file]
    if len(paths) < len(files):
        return "not all of the packages before were kept"
    options = ("-qy", "--allow-downgrades", "--allow-change-held-packages", "-o", "DPkg::Lock::Timeout=600")
    trouble = _as_unit("apt-get", *options, *KEEP_CONFIGURATION, "install", *paths)
    if trouble:  # apt does not go on where a package is left half done; dpkg alone does
        trouble = _as_unit("dpkg", "--force-confdef", "--force-confold", "-i", *paths)
        _as_unit("dpkg", "--force-confdef", "--force-confold", "--configure", "-a")
    return trouble


def _as_unit(*command: str) -> str:
    alone = ("systemd-run", "--quiet", "--collect", "--wait", "--pipe", f"--unit={UNIT}")
    environment = ("--setenv=DEBIAN_FRONTEND=noninteractive", "--setenv=APT_LISTCHANGES_FRONTEND=none")
    try:
        done = subprocess.run(
            [*alone, *environment, *command], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{command[0]} did not end: {type(error).__name__}"
    return "" if done.returncode == 0 else f"{command[0]}: {_last_line(done.stderr)}"


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:120] if lines else "it failed without a word"


def _hold(names: Iterable[str], held: bool) -> None:
    """Raises packages.Unknown where dpkg does not note it, as while somebody else uses it: then all is done again."""
    if listed := list(names):
        command = ["apt-mark", "hold" if held else "unhold", *listed]
        try:
            subprocess.run(command, capture_output=True, timeout=60, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise packages.Unknown(f"{' '.join(command[:2])} failed: {type(error).__name__}") from error


def release(ledger: Ledger) -> bool:
    """Let go of what was held once something newer than what failed is there; True if there was."""
    candidates = {fix["package"]: fix["to"] for fix in ledger.pending}
    newer = [name for name, failed in ledger.held.items() if candidates.get(name, failed) != failed]
    _hold(newer, False)
    for name in newer:
        del ledger.held[name]
    return bool(newer)
