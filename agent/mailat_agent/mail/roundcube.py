"""Webmail: Debian's Roundcube with the host's own doors, in a PHP pool that is empty while nobody uses it."""

import os
import secrets
import shutil
import sqlite3
import subprocess
from pathlib import Path

from ..files import write_whole
from . import templates
from .nginx import let_through
from .part import File, Host, Part
from .state import Mail

FOLDER = "roundcube"
HOME = "roundcube"  # in Host.home
DATABASE, DES_KEY, TABLES = "data/roundcube.db", "des_key", "tables"  # TABLES says for which version they are
SCHEMA = Path("/usr/share/roundcube/SQL")
UPDATE = ("/usr/share/roundcube/bin/updatedb.sh", f"--dir={SCHEMA}", "--package=roundcube")
USER = "www-data"
PLUGIN, PLUGINS = "mailat_client", Path("/var/lib/roundcube/plugins")
PATIENCE = 300.0  # seconds
SETTINGS = ("defaults.inc.php", "mimetypes.php", "php-fpm.conf", "php-fpm.service.conf", "timer.service.conf")


def files(mail: Mail, host: Host) -> list[File]:
    """Its settings, its pool, and the plugin that tells Dovecot the browser's address. No secret is in them."""
    del mail
    config = templates.text("roundcube/config.inc.php", hostname=host.hostname, home=host.home / HOME)
    plugin = templates.plain(f"roundcube/{PLUGIN}.php")
    return [
        File(f"{FOLDER}/config.inc.php", config),
        File(f"{FOLDER}/{PLUGIN}/{PLUGIN}.php", plugin),
        *(File(f"{FOLDER}/{name}", templates.plain(f"roundcube/{name}")) for name in SETTINGS),
    ]


def ready(mail: Mail, host: Host) -> None:
    """Its database, with the tables that the installed version wants, and the key of its sessions."""
    del mail
    let_through(host.home)
    home = host.home / HOME
    (home / DATABASE).parent.mkdir(parents=True, exist_ok=True)
    for folder, owner in (
        (home, "root"),
        ((home / DATABASE).parent, USER),
    ):  # its own data is all that it may write
        shutil.chown(folder, owner, USER)
        folder.chmod(0o750)
    if not (home / DES_KEY).exists():
        _write(home / DES_KEY, secrets.token_urlsafe(24), 0o640)
    shutil.chown(home / DES_KEY, "root", USER)
    _ensure_database(home)
    if not (PLUGINS / PLUGIN).is_symlink():
        (PLUGINS / PLUGIN).symlink_to(f"/etc/mailat/mail/{FOLDER}/{PLUGIN}")


def _ensure_database(home: Path) -> None:
    if not (home / DATABASE).exists():
        _make_database(home)
    elif _number(home / TABLES) < newest_schema():
        command = ("runuser", "-u", USER, "--", *UPDATE)
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE, env=_environment())
    else:
        return
    _write(home / TABLES, str(newest_schema()), 0o644)


def _make_database(home: Path) -> None:
    fresh = home / "fresh.db"
    fresh.unlink(missing_ok=True)
    database = sqlite3.connect(fresh)
    database.executescript((SCHEMA / "sqlite.initial.sql").read_text(encoding="utf-8"))
    database.close()
    fresh.chmod(0o640)
    shutil.chown(fresh, USER, USER)
    os.replace(fresh, home / DATABASE)


def _write(path: Path, text: str, mode: int) -> None:
    write_whole(path, f"{text}\n", mode)


def _number(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def newest_schema() -> int:
    """The version of the tables that the installed Roundcube wants."""
    return max((int(path.stem) for path in (SCHEMA / "sqlite").glob("[0-9]*.sql")), default=0)


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "ROUNDCUBE_CONFIG_DIR": f"/etc/mailat/mail/{FOLDER}"}


PART = Part(
    name="roundcube",
    files=files,
    links={
        "/etc/systemd/system/php8.4-fpm.service.d/webmail.conf": f"{FOLDER}/php-fpm.service.conf",
        "/etc/systemd/system/roundcube-gc.service.d/mailat.conf": f"{FOLDER}/timer.service.conf",
        "/etc/systemd/system/roundcube-cleandb.service.d/mailat.conf": f"{FOLDER}/timer.service.conf",
    },
    check=(
        ("php-fpm8.4", "--test", "--fpm-config", f"/etc/mailat/mail/{FOLDER}/php-fpm.conf"),
        ("php", "-l", f"/etc/mailat/mail/{FOLDER}/config.inc.php"),
        ("php", "-l", f"/etc/mailat/mail/{FOLDER}/{PLUGIN}/{PLUGIN}.php"),
    ),
    reload=(("systemctl", "restart", "php8.4-fpm.service"),),
    units=("php8.4-fpm.service",),
    ready=ready,
)
