"""Who comes to the door, and what they have shown."""

from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from tests import keys


def window(user: User | None = None, **more: Any) -> Client:
    """A browser; whoever is signed in in it has just shown all that they have."""
    client = Client(raise_request_exception=False, **more)
    if user is not None:
        client.force_login(user)
    return client


def hours_later(user: User) -> Client:
    """The same browser, some time after."""
    client = window(user)
    keys.age(client)
    return client


def helper(name: str, *rights: str, factor: bool = True) -> User:
    """Somebody of the staff who may do only this."""
    user = User.objects.create_user(f"{name}@example.test", name=name.title(), is_staff=True)
    for right in rights:
        app, _, code = right.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=code))
    if factor:
        keys.give_app(user)
    return user
