"""The pages about people, in each state."""

from datetime import timedelta

from django.utils import timezone

from accounts import address, recovery, recovery_address, sessions, tokens
from accounts.models import Account, User
from tests.browser.sight import Sight
from tests.dashboard import people_world
from tests.keys import give_app

LONG = f"{'a-very-long-name' * 3}@{'department-of-' * 3}firm.example"


def sessions_one(account: Account, user: User) -> str:
    return "/account/sessions"


def sessions_many(account: Account, user: User) -> str:
    people_world.session(
        user, browser="Safari", system="iPhone", address="2001:db8:1234:5678:9abc:def0:1234:5678"
    )
    people_world.session(user, browser="", system="", address="", country="")
    people_world.session(user, seen_at=timezone.now() - timedelta(days=3))
    return "/account/sessions"


def address_form(account: Account, user: User) -> str:
    return "/account/address"


def address_waits(account: Account, user: User) -> str:
    people_world.change(user, LONG, new_confirmed_at=timezone.now())
    return "/account/address"


def address_lost(account: Account, user: User) -> str:
    give_app(user)
    now = timezone.now()
    people_world.change(user, old_lost=True, new_confirmed_at=now, due_at=now + timedelta(days=6.5))
    return "/account/address"


def recovery_empty(account: Account, user: User) -> str:
    return "/account/recovery"


def recovery_set(account: Account, user: User) -> str:
    give_app(user)
    people_world.person(account, role="owner")
    people_world.second(user, LONG, confirmed_at=timezone.now())
    people_world.second(user, "third@elsewhere.test")
    return "/account/recovery"


def under_way(account: Account, user: User) -> str:
    """Everything that can be under way, on the account's page."""
    give_app(user)
    now = timezone.now()
    people_world.lost(user, first_confirmed_at=now, second_confirmed_at=now, due_at=now + timedelta(hours=70))
    people_world.change(user, LONG)
    other = Account.objects.create(name="The choir of Saint Cecilia")
    people_world.person(other, role="owner")
    people_world.invitation(other, user.email)
    return "/account"


def people(account: Account, user: User) -> str:
    people_world.person(account, LONG)
    asks = people_world.person(account).user
    people_world.lost(asks, first_confirmed_at=timezone.now())
    people_world.invitation(account)
    people_world.invitation(account, LONG, role="owner", expires_at=timezone.now() - timedelta(hours=1))
    return "/account/people"


def people_empty(account: Account, user: User) -> str:
    return "/account/people"


def person(account: Account, user: User) -> str:
    one = people_world.person(account)
    people_world.lost(one.user, first_confirmed_at=timezone.now())
    return f"/account/people/{one.pk}"


def leave(account: Account, user: User) -> str:
    return "/account/leave"


def invited(account: Account, user: User) -> str:
    other = Account.objects.create(name="The choir of Saint Cecilia")
    people_world.person(other, role="owner")
    return f"/invitations/{people_world.invitation(other, user.email).pk}"


def invited_stranger(account: Account, user: User) -> str:
    return f"/invitations/{people_world.invitation(account).pk}"


def new_sign_in(account: Account, user: User) -> str:
    row = people_world.session(user)
    return f"/sign-ins/{row.pk}/{tokens.way_of(sessions.NOTICE, str(row.pk))}"


def new_sign_in_ended(account: Account, user: User) -> str:
    row = people_world.session(user, ended_at=timezone.now())
    return f"/sign-ins/{row.pk}/{tokens.way_of(sessions.NOTICE, str(row.pk))}"


def address_link(account: Account, user: User) -> str:
    return address.way({"change": str(people_world.change(user, LONG).pk), "end": "new"})


def address_stop(account: Account, user: User) -> str:
    row = people_world.change(user, old_lost=True, due_at=timezone.now() + timedelta(days=5))
    return address.way({"change": str(row.pk), "end": "stop"})


def second_link(account: Account, user: User) -> str:
    return recovery_address.way({"address": str(people_world.second(user, LONG).pk)})


def recover(account: Account, user: User) -> str:
    return "/recover"


def recover_link(account: Account, user: User) -> str:
    people_world.person(account, role="owner")
    return recovery.way({"recovery": str(people_world.lost(user).pk), "end": "first"})


def recover_stop(account: Account, user: User) -> str:
    row = people_world.lost(user, due_at=timezone.now() + timedelta(hours=60))
    return recovery.way({"recovery": str(row.pk), "end": "stop"})


def link_spent(account: Account, user: User) -> str:
    return f"/recover/{people_world.lost(user).pk}/spent"


MINE = (
    sessions_one, sessions_many, address_form, address_waits, address_lost, recovery_empty, recovery_set, under_way,
    people, people_empty, person, leave, invited,
)  # fmt: skip
EVERYBODYS = (
    invited_stranger, new_sign_in, new_sign_in_ended, address_link, address_stop, second_link, recover, recover_link,
    recover_stop, link_spent,
)  # fmt: skip
PEOPLE_SIGHTS = [
    *(Sight(f"people-{one.__name__.replace('_', '-')}", one) for one in MINE),
    *(Sight(f"people-{one.__name__.replace('_', '-')}", one, signed_in=False) for one in EVERYBODYS),
]
