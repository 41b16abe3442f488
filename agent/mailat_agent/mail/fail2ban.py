"""fail2ban: who guesses passwords is kept away for a while, by a table of its own in the firewall."""

from .part import File, Host, Part
from .state import Mail
from .templates import plain, text

FOLDER = "fail2ban"
_AS_THEY_ARE = ("fail2ban.local", "dovecot.local", "mailat-webmail.conf")


def files(_mail: Mail, host: Host) -> list[File]:
    """The jails, and how a failed sign-in looks in each journal."""
    jails = text(f"{FOLDER}/jail.local", addresses=" ".join(host.addresses))
    return [
        File(f"{FOLDER}/jail.local", jails),
        *(File(f"{FOLDER}/{name}", plain(f"{FOLDER}/{name}")) for name in _AS_THEY_ARE),
    ]


PART = Part(
    name="fail2ban",
    files=files,
    links={
        "/etc/fail2ban/fail2ban.local": f"{FOLDER}/fail2ban.local",
        "/etc/fail2ban/jail.local": f"{FOLDER}/jail.local",
        "/etc/fail2ban/filter.d/dovecot.local": f"{FOLDER}/dovecot.local",
        "/etc/fail2ban/filter.d/mailat-webmail.conf": f"{FOLDER}/mailat-webmail.conf",
    },
    check=(("fail2ban-client", "--test"),),
    reload=(("systemctl", "reload-or-restart", "fail2ban.service"),),
    units=("fail2ban.service",),
)
