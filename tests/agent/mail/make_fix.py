"""On the host: an archive of security updates, made from the packages that the agent keeps.

`make_fix.py SOURCE SUFFIX [PROGRAM]` publishes all installed packages of a source with a higher version; where PROGRAM is
named, that one then does nothing but fail. Prints the version and the archive's date.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from email.utils import formatdate
from pathlib import Path

ARCHIVE, KEPT = Path("/srv/fixes"), Path("/var/lib/mailat/mail/packages")
AGE = 7200  # seconds since the archive says that it published them
FAILS = "#!/bin/sh\necho this update is broken >&2\nexit 1\n"


def main(source: str, suffix: str, program: str = "") -> None:
    ARCHIVE.mkdir(mode=0o755, exist_ok=True)
    for old in ARCHIVE.glob("*.deb"):
        old.unlink()
    names = {name: version for name, version, its in installed() if its == source}
    version = next(iter(names.values()))
    for name, old_version in names.items():
        (deb,) = KEPT.glob(f"{name}_{old_version.replace(':', '%3a')}_*.deb")
        remake(deb, version, version + suffix, program.lstrip("/"))
    date = publish()
    print(
        json.dumps({"version": version + suffix, "before": version, "date": date, "packages": sorted(names)})
    )


def installed() -> list[list[str]]:
    said = run("dpkg-query", "-W", "-f", "${Package} ${Version} ${source:Package} ${db:Status-Abbrev}\n")
    return [line.split()[:3] for line in said.splitlines() if line.split()[3] in ("ii", "hi")]


def remake(deb: Path, before: str, version: str, program: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "root"
        run("dpkg-deb", "--raw-extract", str(deb), str(root))
        control = root / "DEBIAN/control"
        control.write_text(control.read_text().replace(before, version))
        if program and (root / program).exists():
            (root / program).unlink()
            (root / program).write_text(FAILS)
            (root / program).chmod(0o755)
        run("dpkg-deb", "-Zzstd", "-z1", "--build", str(root), str(ARCHIVE))


def publish() -> float:
    """A flat archive that apt trusts because it is told to, with the label of Debian's security archive."""
    listing = "".join(map(paragraph, sorted(ARCHIVE.glob("*.deb"))))
    (ARCHIVE / "Packages").write_text(listing)
    date = int(time.time()) - AGE
    digest = hashlib.sha256(listing.encode()).hexdigest()
    (ARCHIVE / "Release").write_text(
        "Origin: Debian\nLabel: Debian-Security\nSuite: stable-security\nCodename: trixie-security\n"
        f"Date: {formatdate(date).replace('-0000', 'UTC')}\nSHA256:\n {digest} {len(listing)} Packages\n"
    )
    Path("/etc/apt/sources.list.d/fixes.list").write_text(f"deb [trusted=yes] file:{ARCHIVE}/ ./\n")
    return date


def paragraph(deb: Path) -> str:
    data = deb.read_bytes()
    fields = run("dpkg-deb", "--field", str(deb)).strip()
    digest = hashlib.sha256(data).hexdigest()
    return f"{fields}\nFilename: ./{deb.name}\nSize: {len(data)}\nSHA256: {digest}\n\n"


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main(*sys.argv[1:])
