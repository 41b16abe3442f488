"""Messages a second of our Dovecot and of one with Debian's own configuration, by turns on the same host.

Debian's keeps all mail of a user in one file (mbox), which costs less to write and more to read. So a third one is asked too,
which differs from Debian's only in that it keeps Maildirs, as ours does.
"""

import json
import statistics
import time
from pathlib import Path

from bench import mail_load
from bench.common import say
from bench.mail_host import HOSTNAME, SECRET, USERS, Place

ROUNDS, EACH = 3, 400  # messages for each of the users
LOAD = "/root/mail_load.py"
OURS, DEBIANS = "dovecot.service", "bench-dovecot.service"
DEBIANS_FILE = "/etc/dovecot/dovecot.conf.debian"  # kept there by the agent when its own took the place
MAILDIRS_FILE = "/etc/dovecot/dovecot.conf.maildir"
CERTIFICATE = "/etc/dovecot/private/dovecot.pem"
# As Debian's ssl-cert does where it is installed; and the users are the system's, as Debian's configuration has it.
PREPARE = rf"""
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={HOSTNAME} -addext subjectAltName=DNS:{HOSTNAME} \
  -keyout /etc/dovecot/private/dovecot.key -out {CERTIFICATE} 2>/dev/null
sed '$a mail_driver = maildir\nmail_path = ~/Maildir\nmail_inbox_path =' {DEBIANS_FILE} >{MAILDIRS_FILE}
for user in $0; do useradd --create-home $user && echo $user:{SECRET} | chpasswd; done
"""
Rates = dict[str, float]


def measure(place: Place) -> dict[str, dict[str, float]]:
    """Medians of the rounds, and their ratio; the agent rests meanwhile."""
    names = [address.partition("@")[0] for address in USERS]
    place.put(LOAD, Path(mail_load.__file__).read_text())
    place.run("sh", "-euc", PREPARE, " ".join(names))
    place.run("systemctl", "stop", "mailat-agent.service")
    rounds = [
        {
            "ours": _ours(place),
            "debian": _debians(place, names, DEBIANS_FILE),
            "debian_maildir": _debians(place, names, MAILDIRS_FILE),
        }
        for _ in range(ROUNDS)
    ]
    return {way: _compared(rounds, way) for way in ("lmtp", "imap")}


def _compared(rounds: list[dict[str, Rates]], way: str) -> dict[str, float]:
    medians = {who: statistics.median(each[who][way] for each in rounds) for who in rounds[0]}
    ratio = medians["ours"] / medians["debian"]
    of_maildirs = medians["ours"] / medians["debian_maildir"]
    rounded = {who: round(rate, 1) for who, rate in medians.items()}
    return {**rounded, "ratio": round(ratio, 2), "ratio_maildir": round(of_maildirs, 2)}


def _ours(place: Place) -> Rates:
    place.run("sh", "-c", "rm -rf /srv/mail/firm.test")
    place.run("systemctl", "start", OURS)
    try:
        return _load(place, "/var/spool/postfix/private/dovecot-lmtp", "", USERS)
    finally:
        place.run("systemctl", "stop", OURS)


def _debians(place: Place, names: list[str], file: str) -> Rates:
    place.run("sh", "-c", f"cd /var/mail; rm -f {' '.join(names)}; rm -rf /home/*/mail /home/*/Maildir")
    place.run("systemd-run", f"--unit={DEBIANS}", "--collect", "dovecot", "-F", "-c", file)
    time.sleep(1)
    try:
        return _load(place, "/run/dovecot/lmtp", CERTIFICATE, names)
    finally:
        place.run("systemctl", "stop", DEBIANS)


def _load(place: Place, lmtp: str, authorities: str, users: list[str]) -> Rates:
    words = json.dumps([lmtp, HOSTNAME, authorities, [[user, SECRET] for user in users], EACH])
    program = "import json, sys; sys.path.insert(0, '/root'); import mail_load; mail_load.run(*json.loads(sys.argv[1]))"
    rates: Rates = json.loads(place.run("python3", "-c", program, words))
    say(f"  {lmtp}: {rates}")
    return rates
