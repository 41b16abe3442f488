"""How allauth is told our ways."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):
    """People come by link only, so allauth's own forms are closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(self, *args: object, **kwargs: object) -> None:
        """The page that follows says where one is; allauth's remarks are not needed beside it."""
