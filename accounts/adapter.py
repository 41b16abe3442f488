"""How allauth is told our ways."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):
    """People come by link or passkey, so allauth's own forms are closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(self, *args: object, **kwargs: object) -> None:
        """The page that follows says where one is; allauth's remarks are not needed beside it."""

    def get_login_stages(self) -> list[str]:
        """The link proved the address, so after it there is only the second factor."""
        return ["allauth.mfa.stages.AuthenticateStage"]

    def send_notification_mail(self, *args: object, **kwargs: object) -> None:
        """Our own letters tell of it."""

    def is_safe_url(self, url: str | None) -> bool:
        """What is no address at all is not a safe one; allauth's own look raises at it."""
        try:
            return bool(super().is_safe_url(url))
        except ValueError:
            return False
