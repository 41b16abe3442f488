"""Webmail as a browser uses it, and a Dovecot that knows Alice alone."""

import re
import urllib.parse

from tests.agent.mail.web_host import HOSTNAME, WebHost

DOVECOT = f"""
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols = imap
mail_driver = maildir
mail_path = ~/Maildir
auth_mechanisms = plain login
ssl = required
ssl_server_cert_file = /var/lib/mailat/mail/tls/{HOSTNAME}/fullchain.pem
ssl_server_key_file = /var/lib/mailat/mail/tls/{HOSTNAME}/privkey.pem
login_trusted_networks = ADDRESS
namespace inbox {{
  inbox = yes
}}
passdb passwd-file {{
  passwd_file_path = /etc/dovecot/users
}}
userdb static {{
  fields {{
    uid = www-data
    gid = www-data
    home = /var/mail/%{{user}}
  }}
}}
"""


def sign_in(host: WebHost, user: str, password: str) -> tuple[int, str, str]:
    """Through webmail's form, as a browser does: status, where it leads, and the page."""
    _, fields, page = host.ask("webmail.firm.test")
    cookie = cookies(fields)
    (token,) = re.findall(r'name="_token" value="([^"]+)"', page)
    form = {"_task": "login", "_action": "login", "_token": token, "_user": user, "_pass": password}
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    status, fields, page = host.ask(
        "webmail.firm.test", "/?_task=login", "POST", urllib.parse.urlencode(form), **kind
    )
    if "location" not in fields:
        return status, "", page
    place = urllib.parse.urljoin("https://webmail.firm.test/", fields["location"])
    _, _, page = host.ask(
        "webmail.firm.test", place.removeprefix("https://webmail.firm.test"), Cookie=cookies(fields)
    )
    return status, place, page


def cookies(fields: dict[str, str]) -> str:
    given = [line.partition(";")[0] for line in fields.get("set-cookie", "").splitlines()]
    return "; ".join(pair for pair in given if not pair.endswith("=-del-"))
