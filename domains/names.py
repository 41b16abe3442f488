"""What may be called what: domains, the part before the @, whole addresses. Pure, but for the setting that names our own domain."""

import ipaddress
import re
import unicodedata
from functools import cache

import idna
from django.conf import settings
from django.utils.translation import gettext as _
from publicsuffixlist import PublicSuffixList

from domains.refusals import BadName

LONGEST_DOMAIN = (
    189  # so that 64 letters and an @ before it make an address that SMTP carries (RFC 5321, 4.5.3.1.3)
)
LONGEST_LOCAL = 64
LONGEST_ADDRESS = 254
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = re.compile(rf"(?:{LABEL}\.)+{LABEL}")
LOCAL = re.compile(r"[a-z0-9_+'-]+(?:\.[a-z0-9_+'-]+)*")
ELSEWHERE = re.compile(r"[a-z0-9!#$&'*+/=?^_{|}~-]+(?:\.[a-z0-9!#$&'*+/=?^_{|}~-]+)*")
RESERVED_LOCALS = {"canary", "mailat-canary"}


def good_domain(typed: str) -> str:
    """The domain in lower case and ASCII, as the DNS knows it. Raises BadName."""
    name = _as_ascii(typed.strip().rstrip(".").lower())
    if "." not in name:
        raise BadName(_("A domain has two parts or more, such as firm.example."), "name")
    if len(name) > LONGEST_DOMAIN:
        raise BadName(_("This name is too long: a domain for mail has at most 189 characters."), "name")
    if is_ours(name):
        raise BadName(_("“%s” is the name of our own servers. Use a domain of yours.") % name, "name")
    if _suffixes().is_public(name):
        raise BadName(
            _("Under “%s” others register their names. Type the whole of yours, such as firm.%s.")
            % (name, name),
            "name",
        )
    return name


def _as_ascii(name: str) -> str:
    """Raises BadName for what no DNS name can be."""
    if not name:
        raise BadName(_("Type the domain, such as firm.example."), "name")
    if _is_ip(name):
        raise BadName(
            _("“%s” is an IP address. Type the name of a domain, such as firm.example.") % name, "name"
        )
    if "@" in name or "/" in name or ":" in name:
        raise BadName(
            _("Type the domain alone, such as firm.example: no address of a page or of a person."), "name"
        )
    try:
        name = idna.encode(name, uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError):
        raise _no_domain() from None
    if "." in name and (not DOMAIN.fullmatch(name) or name.rpartition(".")[2].isdigit()):
        raise _no_domain()
    return name


def _no_domain() -> BadName:
    return BadName(
        _(
            "This is no name that a domain can have. Between its dots stand letters, digits and dashes; "
            "a dash stands neither first nor last."
        ),
        "name",
    )


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def is_ours(name: str) -> bool:
    """Whether it is the domain of our servers, below it, or above it."""
    ours = settings.SERVER_DOMAIN.lower()
    return f".{name}".endswith(f".{ours}") or f".{ours}".endswith(f".{name}")


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def shown(domain: str) -> str:
    """The domain as people write it: without punycode where it can be read."""
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def good_local(typed: str) -> str:
    """What stands before the @ of an address of ours, in lower case. Raises BadName."""
    local = typed.strip().lower()
    if not local:
        raise BadName(_("Type what stands before the @."), "local")
    if len(local) > LONGEST_LOCAL:
        raise BadName(_("Before the @ stand at most 64 characters."), "local")
    if not LOCAL.fullmatch(local):
        raise BadName(
            _(
                "Before the @ stand letters from a to z, digits, and . _ + - '. "
                "A dot stands neither first nor last, nor beside another."
            ),
            "local",
        )
    if local in RESERVED_LOCALS:
        raise BadName(_("“%s” is kept for our own checks. Choose another name.") % local, "local")
    return local


def good_address(typed: str, field: str = "") -> str:
    """An address, ours or anybody's, in lower case with its domain in ASCII. Raises BadName."""
    local, at, domain = typed.strip().lower().rpartition("@")
    try:
        domain = _as_ascii(domain) if at else ""
    except BadName:
        domain = ""
    address = f"{local}@{domain}"
    fits = len(local) <= LONGEST_LOCAL and len(address) <= LONGEST_ADDRESS
    if "." not in domain or not fits or not ELSEWHERE.fullmatch(local):
        raise BadName(_("“%s” is no mail address.") % brief(typed), field)
    return address


def brief(typed: str, most: int = 80) -> str:
    """What somebody typed, fit to be shown back to them."""
    text = " ".join(one_line(typed).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def one_line(typed: str) -> str:
    """Without line feeds, control characters and halves of characters."""
    return "".join(
        " " if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in typed
    ).strip()


def many_lines(typed: str) -> str:
    """The same, but lines and tabs stay."""
    text = typed.replace("\r\n", "\n").replace("\r", "\n")
    bad = (letter for letter in set(text) if unicodedata.category(letter) in ("Cc", "Cs"))
    return text.translate({ord(letter): None for letter in bad if letter not in "\n\t"}).strip()
