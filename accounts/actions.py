"""What may be done about people: accounts, who belongs to them, and how somebody signs in."""

from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.utils import timezone

from accounts import letters, mail, tokens
from accounts.mfa import has_second_factor
from accounts.models import Account, Letter, Membership, SignInLink, SignInLinks, User
from accounts.open import Invitation
from audit.actions import record

INVITATION_LIFE = timedelta(days=1)  # comes unasked, so nobody sits waiting for it
LINKS_KEPT = timedelta(days=1)  # after they expired, so that an old link can still say so


@dataclass(frozen=True)
class Entry:
    """Somebody proved to read the mail of an address; `goes_to` is the path they were on their way to."""

    user: User
    goes_to: str


class LastOwner(ValueError):
    """An account must be answered for by somebody."""


# --- accounts and their people


@transaction.atomic
def ensure_account(*, email: str, name: str = "", by: str) -> Account:
    """The account that this person owns; the person and the account are made if there are none."""
    user = _ensure_person(email, name)
    User.objects.select_for_update().get(pk=user.pk)
    owned = Account.objects.filter(memberships__user=user, memberships__role=Membership.Role.OWNER)
    return owned.order_by("created_at", "pk").first() or _open_account(user, by)


def _ensure_person(email: str, name: str = "") -> User:
    fresh = {"name": name.strip()[:120], "password": make_password(None)}
    user, _new = User.objects.get_or_create(email=tidy(email), defaults=fresh)
    if fresh["name"] and not user.name:
        user.name = fresh["name"]
        user.save(update_fields=["name"])
    return user


def _open_account(user: User, by: str) -> Account:
    account = Account.objects.create(name=user.name or user.email.partition("@")[0][:120])
    record("account.opened", by=by, account=account.pk, subject=f"account:{account.pk}")
    _join(account, user, Membership.Role.OWNER, by)
    return account


def _join(account: Account, user: User, role: str, by: str) -> Membership:
    member = Membership.objects.create(account=account, user=user, role=role)
    record("person.joined", by=by, account=account.pk, subject=f"user:{user.pk}", role=role)
    return member


@transaction.atomic
def add_member(*, account: Account, email: str, role: str = Membership.Role.MEMBER, by: str) -> Membership:
    """Lets a person take part in the account; somebody who does so already keeps the role they have."""
    user = _ensure_person(email)
    User.objects.select_for_update().get(pk=user.pk)
    member = Membership.objects.filter(account=account, user=user).first()
    return member or _join(account, user, role, by)


@transaction.atomic
def remove_member(*, account: Account, user: User, by: str) -> bool:
    """Ends a person's part in the account; False if they had none. Raises LastOwner."""
    Account.objects.select_for_update().get(pk=account.pk)
    member = Membership.objects.filter(account=account, user=user).first()
    if member is None:
        return False
    must_keep_owner(member)
    gone = member.pk
    member.delete()
    _withdraw_invitations(account, user, by)
    record("person.left", by=by, account=account.pk, subject=f"user:{user.pk}")
    if by != f"user:{user.pk}":
        letters.post("person_removed", to=user.email, key=f"person_removed:{gone}", of=account.name)
    return True


def _withdraw_invitations(account: Account, user: User, by: str) -> None:
    from accounts import invitations

    invitations.withdraw_those_of(user=user, account=account, by=by)


def must_keep_owner(member: Membership) -> None:
    """Raises LastOwner unless the account has an owner besides this one."""
    owners = Membership.objects.filter(account=member.account_id, role=Membership.Role.OWNER)
    if not owners.exclude(pk=member.pk).exists():
        raise LastOwner("The last owner of an account stays one.")


@transaction.atomic
def make_staff(*, email: str, name: str = "", by: str) -> User:
    """A person of ours, who may do everything in the admin; an existing one is raised to that."""
    user = _ensure_person(email, name)
    user.is_staff = user.is_superuser = user.is_active = True
    user.save(update_fields=["is_staff", "is_superuser", "is_active"])
    record("staff.made", by=by, subject=f"user:{user.pk}")
    return user


# --- links


@transaction.atomic
def invite_in(
    *,
    email: str = "",
    account: Account | None = None,
    kind: str = "welcome",
    key: str,
    goes_to: str = "",
    by: str,
    **context: object,
) -> list[Letter]:
    """A letter with a link that no browser is bound to: to `email`, or else to each owner of `account`. Once for a key."""
    people = [tidy(email)] if email else letters.owners(cast(Account, account))
    return [
        _invite(address, account, kind, key=f"{key}:{address}", goes_to=goes_to, by=by, context=dict(context))
        for address in people
    ]


def _invite(
    email: str,
    account: Account | None,
    kind: str,
    *,
    key: str,
    goes_to: str,
    by: str,
    context: dict[str, object],
) -> Letter:
    _one_at_a_time(f"invite:{key}")
    said_before = Letter.objects.filter(key=letters.fitting(key)).first()
    if said_before:
        return said_before
    link = _make_link(email, browser_hash="", goes_to=goes_to, life=INVITATION_LIFE)
    whose = account.pk if account else None
    record("link.sent", by=by, account=whose, subject=f"link:{link.pk}", kind=kind)
    words = {**context, "goes_to": goes_to, mail.LINK: link.pk}
    return letters.post(kind, to=email, key=key, account=account, **words)


@transaction.atomic
def request_link(*, email: str, nonce: str, goes_to: str, address: str) -> SignInLink:
    """Sends a link to whoever reads this address; `nonce` is the asking browser's, `address` that of its network.

    Nothing here looks whether the address is known, so nothing can tell.
    """
    link = _make_link(
        tidy(email),
        browser_hash=tokens.hash_nonce(nonce),
        goes_to=goes_to,
        life=settings.SIGN_IN_LINK_LIFE,
    )
    record("link.asked", by="visitor", subject=f"link:{link.pk}", network=address)
    letters.post("sign_in", to=link.email, key=f"sign_in:{link.pk}", **{mail.LINK: link.pk})
    return link


def _make_link(email: str, *, browser_hash: str, goes_to: str, life: timedelta) -> SignInLink:
    """The newest link of an address is its only one."""
    _one_at_a_time(f"links:{email}")
    now = timezone.now()
    SignInLink.objects.filter(email=email, used_at=None, void_at=None).update(void_at=now)
    link = SignInLink(email=email, browser_hash=browser_hash, goes_to=goes_to, expires_at=now + life)
    link.token_hash = tokens.hash_token(tokens.token_of(link.pk))
    link.code_hash = tokens.hash_code(link.pk, tokens.code_of(link.pk))
    link.save(force_insert=True)
    return link


def _one_at_a_time(what: str) -> None:
    """Two transactions about the same thing follow each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [what])


# --- signing in


@transaction.atomic
def use_link(*, token: str, nonce: str, address: str) -> Entry | None:
    """Signs in by the link, once; None unless it is live and bound to this browser or to none."""
    bound_to = ["", tokens.hash_nonce(nonce)] if nonce else [""]
    links = SignInLink.objects.live().filter(token_hash=tokens.hash_token(token), browser_hash__in=bound_to)
    return _claim(links, "link", address)


def use_code(*, nonce: str, code: str, address: str) -> Entry | None:
    """Signs in by the code that was typed into the browser that asked; a wrong one counts against all its live links."""
    for link in _count_try(tokens.hash_nonce(nonce)) if nonce else []:
        if tokens.is_code(link.pk, link.code_hash, code):
            with transaction.atomic():
                return _claim(SignInLink.objects.unspent().filter(pk=link.pk), "code", address)
    return None


COUNT_TRY = """
UPDATE accounts_signinlink SET tries = tries + 1
 WHERE browser_hash = %s AND used_at IS NULL AND void_at IS NULL AND expires_at > %s AND tries < %s
RETURNING *"""


def _count_try(browser_hash: str) -> list[SignInLink]:
    """Counted before it is looked at, and on its own, so that a hundred guesses at once are still five."""
    return list(SignInLink.objects.raw(COUNT_TRY, [browser_hash, timezone.now(), SignInLink.MOST_TRIES]))


def _claim(links: SignInLinks, how: str, address: str) -> Entry | None:
    """One conditional UPDATE decides who of several was first."""
    link = links.first()
    if link is None or links.filter(pk=link.pk).update(used_at=timezone.now()) != 1:
        return None
    user = _person_behind(link.email)
    if not user.is_active:
        return None
    came = "link.used" if has_second_factor(user) else "person.signed_in"
    record_for_accounts(came, user, how=how, network=address)
    return Entry(user, link.goes_to)


def _person_behind(email: str) -> User:
    """Whoever reads this mail; somebody new gets an account of their own, unless one of others waits for their answer."""
    user = _ensure_person(email)
    invited = Invitation.objects.live().filter(email=email)
    if not (user.is_staff or user.memberships.exists() or invited.exists()):
        ensure_account(email=email, by="sign-in")
    _verify(user)
    return user


def _verify(user: User) -> None:
    """The link was the proof, so allauth need not send another."""
    known = EmailAddress.objects.filter(user=user, email=user.email)
    if not known.update(verified=True):
        first = not EmailAddress.objects.filter(user=user, primary=True).exists()
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=first)


@transaction.atomic
def signed_out(*, user: User) -> None:
    """To be told when a person has ended their session."""
    record_for_accounts("person.signed_out", user)


def record_for_accounts(action: str, user: User, *, by: str = "", **facts: object) -> None:
    """Each account of the person sees it; staff who belong to none leave a trace as well."""
    found: list[UUID | None] = list(user.memberships.values_list("account_id", flat=True))
    for account in found or [None]:
        record(action, by=by or f"user:{user.pk}", account=account, subject=f"user:{user.pk}", **facts)


@transaction.atomic
def forget_links() -> int:
    """Removes what expired LINKS_KEPT ago, and the letters that bore it; returns how many links."""
    before = timezone.now() - LINKS_KEPT
    gone, _ = SignInLink.objects.filter(expires_at__lt=before).delete()
    old = Letter.objects.filter(kind="sign_in", written_at__lt=before - settings.SIGN_IN_LINK_LIFE)
    old.exclude(sent_at=None, dropped="").delete()
    return gone


def tidy(email: str) -> str:
    return email.strip().lower()
