"""All parts of the mail system, in the order in which they are prepared, told and started."""

from . import dovecot, fail2ban, firewall, nginx, people, policy, postfix, roundcube, rspamd, srs, updates
from .part import Part

PARTS: tuple[Part, ...] = (
    updates.PART,
    firewall.PART,
    srs.PART,
    policy.PART,
    rspamd.PART,
    dovecot.PART,
    postfix.PART,
    roundcube.PART,
    people.PART,
    nginx.PART,
    fail2ban.PART,
)
