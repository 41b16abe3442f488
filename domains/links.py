"""Where letters of this room lead. The server is the fleet's, which stands above us."""

from django.conf import settings

from domains.models import Mailbox


def host_of(mailbox: Mailbox) -> str:
    """The address at which its owner reads mail in a browser: the server's own name, which always has a certificate.

    The server's row is read and its room not imported. Without one, our own first page.
    """
    server = mailbox.domain.account.servers.filter(pk=mailbox.domain.home).first()
    return f"https://{server.name}.{settings.SERVER_DOMAIN}/" if server else "/"
