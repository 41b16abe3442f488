"""Whether a server may bear a name, told while it is being typed."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from servers.actions import BadName, good_name
from servers.models import Server


@dataclass(frozen=True)
class Verdict:
    """`error` is a sentence, or empty where the name is free."""

    host: str
    error: str


def verdict(typed: str) -> Verdict:
    """What may be said of the name now; somebody may still take it first."""
    try:
        name = good_name(typed)
    except BadName as error:
        return Verdict("", str(error))
    host = f"{name}.{settings.SERVER_DOMAIN}"
    if Server.objects.filter(name=name, gone_at=None).exists():
        return Verdict(host, _("“%s” is taken. Choose another name.") % name)
    return Verdict(host, "")
