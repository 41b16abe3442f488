"""What mail programs and other mail servers ask a domain for: settings, and whether TLS must be used to it."""

import plistlib
import uuid
from urllib.parse import quote
from xml.sax.saxutils import escape

from . import templates, tls
from .part import File, Host
from .state import Domain, Mail

FOLDER = "discovery"
A_DAY, A_WEEK = 86400, 604800  # seconds that others may keep a policy
NAMESPACE = uuid.UUID(
    "6f4d2c1e-3a57-5b0e-9d43-0d1f5a9c7e21"
)  # from which a domain's profile has its identity


def files(mail: Mail, host: Host) -> list[File]:
    """The documents of every domain, and the script that answers Outlook."""
    script = File(f"{FOLDER}/autodiscover.php", templates.plain("discovery/autodiscover.php"))
    return [script, *(file for domain in mail.domains for file in documents(domain, host))]


def documents(domain: Domain, host: Host) -> list[File]:
    """One domain's documents."""
    texts = {
        "config-v1.1.xml": autoconfig(domain, host),
        "autodiscover.xml": autodiscover(domain, host),
        "apple.mobileconfig": apple_profile(domain, host),
        "mta-sts.txt": sts_policy(domain, host),
    }
    return [File(f"{FOLDER}/{domain.name}/{name}", text) for name, text in texts.items()]


def server(domain: Domain, host: Host) -> str:
    """The name under which mail programs reach us: the domain's own once its certificate has it."""
    own = f"mail.{domain.name}"
    return own if own in tls.names_served(host.home, domain.name) else host.hostname


def webmail(domain: Domain, host: Host) -> str:
    """Where a browser reads the domain's mail."""
    own = f"webmail.{domain.name}"
    return f"https://{own if own in tls.names_served(host.home, domain.name) else host.hostname}/"


def autoconfig(domain: Domain, host: Host) -> str:
    """Thunderbird's and others' (draft-ietf-mailmaint-autoconfig)."""
    return templates.text(
        "discovery/config-v1.1.xml",
        domain=escape(domain.name),
        server=escape(server(domain, host)),
        webmail=quote(webmail(domain, host), safe=":/"),
    )


def autodiscover(domain: Domain, host: Host) -> str:
    """Outlook's, with an empty name to sign in with (learn.microsoft.com, Autodiscover for Outlook, POX)."""
    return templates.text("discovery/autodiscover.xml", server=escape(server(domain, host)))


def sts_policy(domain: Domain, host: Host) -> str:
    """RFC 8461, section 3.2; `none` tells those who remember a policy to forget it."""
    lines = ["version: STSv1", f"mode: {domain.mta_sts}"]
    if domain.mta_sts != "none":
        lines.append(f"mx: {host.hostname}")
    lines.append(f"max_age: {A_WEEK if domain.mta_sts == 'enforce' else A_DAY}")
    return "".join(f"{line}\r\n" for line in lines)


def apple_profile(domain: Domain, host: Host) -> str:
    """A configuration profile; what it leaves out, address and password, the device asks its owner for.

    developer.apple.com/documentation/devicemanagement/mail
    """
    identity = str(uuid.uuid5(NAMESPACE, domain.name))
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"net.mailat.profile.{domain.name}",
        "PayloadUUID": identity,
        "PayloadDisplayName": f"Mail of {domain.name}",
        "PayloadOrganization": domain.name,
        "PayloadDescription": f"Sets up a mailbox of {domain.name}.",
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [_apple_account(domain, server(domain, host))],
    }
    return plistlib.dumps(profile).decode()


def _apple_account(domain: Domain, name: str) -> dict[str, object]:
    return {
        "PayloadType": "com.apple.mail.managed",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"net.mailat.profile.{domain.name}.mail",
        "PayloadUUID": str(uuid.uuid5(NAMESPACE, f"mail {domain.name}")),
        "PayloadDisplayName": domain.name,
        "EmailAccountType": "EmailTypeIMAP",
        "EmailAccountDescription": domain.name,
        "IncomingMailServerAuthentication": "EmailAuthPassword",
        "IncomingMailServerHostName": name,
        "IncomingMailServerPortNumber": 993,
        "IncomingMailServerUseSSL": True,
        "OutgoingMailServerAuthentication": "EmailAuthPassword",
        "OutgoingMailServerHostName": name,
        "OutgoingMailServerPortNumber": 465,
        "OutgoingMailServerUseSSL": True,
        "OutgoingPasswordSameAsIncomingPassword": True,
    }
