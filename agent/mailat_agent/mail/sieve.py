"""Sieve scripts: spam to Junk, forwarding, the answer while somebody is away, aliases that lead elsewhere."""

from collections.abc import Iterable

from . import addresses, leaving
from .addresses import domain_of
from .part import File, Host
from .state import Mail, Mailbox, Vacation
from .templates import plain, text

SCRIPTS = "sieve/mailboxes"
NEEDS = (
    "copy",
    "date",
    "editheader",
    "envelope",
    "index",
    "regex",
    "relational",
    "subaddress",
    "vacation",
    "variables",
)
SIGNED_IN = "signed-in"  # the detail of a hidden address, which strangers cannot write to
# Dovecot's own trace is the first; the second is Postfix', which alone knows who signed in.
_SUBMITTED = 'header :index {} :matches "Received" "* (Postfix) with ESMTPSA id *"'
DAYS_BETWEEN_ANSWERS = 7
HEAD = f'require [{", ".join(chr(34) + name + chr(34) for name in NEEDS)}];\nset "dollar" "$";\n'


def files(mail: Mail, host: Host) -> list[File]:
    """The script for all, and one for each user that has something of its own."""
    scripts = {box.address: body for box in mail.mailboxes if (body := _of_mailbox(box, mail))}
    scripts |= {
        user: _of_redirect(user, to, mail) for user, to in addresses.routes(mail, host).redirects.items()
    }
    scripts[addresses.personal(host)] = _of_personal_scripts(mail)
    found = [
        File(f"{SCRIPTS}/{script_name(user)}.sieve", HEAD + body) for user, body in sorted(scripts.items())
    ]
    return [File("sieve/spam.sieve", plain("sieve/spam.sieve")), File(f"{SCRIPTS}/nobody.sieve", ""), *found]


def script_name(address: str) -> str:
    """The file name, without its end, of a user's script."""
    local, _, domain = address.rpartition("@")
    return f"{addresses.file_name(local)}@{domain}"


def _of_mailbox(box: Mailbox, mail: Mail) -> str:
    body = _vacation(box, box.vacation) if box.vacation else ""
    if box.forward:
        body += _forward(box, mail)
    return f'\nif not header :is "X-Spam" "Yes" {{\n{body}}}\n' if body else ""


def _forward(box: Mailbox, mail: Mail) -> str:
    """Forwarding; what comes back by a ring of forwards ends here, and is not lost."""
    near, far = addresses.split(box.forward, mail)
    body = _redirect(near)
    submitted = _SUBMITTED.format(2)
    if far:
        hidden, known = addresses.forwarder(box.address), addresses.forwarder(box.address, SIGNED_IN)
        body += f"if {submitted} {{\n{_redirect([known])}}} else {{\n{_redirect([hidden])}}}\n"
    body += "" if box.keep_copy else "discard;\n"
    return f'if not header :is "X-Sieve-Redirected-From" {quoted(box.address)} {{\n{body}}}\n'


def _of_redirect(user: str, targets: Iterable[str], mail: Mail) -> str:
    """Mail of a user without a mailbox leaves. Spam too, with its mark: there is no Junk here in which it would be found."""
    return f"\n{leaving.script()}{_author(user, mail)}{_redirect(targets)}discard;\nstop;\n"


def _author(user: str, mail: Mail) -> str:
    """Who the mail is said to be from; also while it waits for a way out, which would refuse it later."""
    stranger = mail.relay.sender if mail.relay else f"postmaster@{domain_of(user)}"
    address = addresses.forwarded_by(user) or (stranger if user.startswith("=") else user)
    known = f'envelope :detail "to" {quoted(SIGNED_IN)}'
    test = known if addresses.forwarded_by(user) else _SUBMITTED.format(2)
    return _said_author(mail, address, domain_of(address), test)


def _of_personal_scripts(mail: Mail) -> str:
    submitted = _SUBMITTED.format(4)  # two traces more: it came twice
    author = _said_author(mail, "${mailbox}", "${domain}", submitted)
    return text("sieve/personal", clean=leaving.script(), author=author)


def _said_author(mail: Mail, address: str, domain: str, signed_in: str) -> str:
    own = ", ".join(quoted(domain.name) for domain in mail.domains) or quoted("")  # no list may be empty
    return text("sieve/author", own=own, domain=domain, address=address, signed_in=signed_in)


def _redirect(targets: Iterable[str]) -> str:
    return "".join(f"redirect :copy {quoted(target)};\n" for target in targets)


def _vacation(box: Mailbox, vacation: Vacation) -> str:
    """An answer at most once in some days to each sender; Sieve itself never answers lists, machines and bounces."""
    parts = [f"vacation :days {DAYS_BETWEEN_ANSWERS}", f":from {quoted(box.address)}"]
    if vacation.subject.strip():
        parts.append(f":subject {quoted(vacation.subject.strip())}")
    answer = " ".join([*parts, quoted(vacation.text)]) + ";\n"
    limits = [("ge", vacation.begins), ("le", vacation.ends)]
    tests = [f'currentdate :value "{how}" "date" {quoted(day)}' for how, day in limits if day]
    return f"if allof(true, {', '.join(tests)}) {{\n{answer}}}\n" if tests else answer


def quoted(words: str) -> str:
    """A Sieve string that means exactly these words, where the variables of HEAD are known."""
    escaped = words.replace("\\", "\\\\").replace('"', '\\"').replace("$", "${dollar}")
    return '"' + escaped.replace("\r\n", "\n").replace("\n", "\r\n") + '"'
