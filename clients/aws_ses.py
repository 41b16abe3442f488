"""SES as a mail server's keeper needs it. Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/."""

from collections.abc import Iterable, Iterator
from typing import Any

from clients.aws_calls import Caller
from clients.aws_errors import AlreadyThere
from clients.aws_records import Destination, EmailIdentity, Listed, Standing, Suppressed
from clients.errors import TryLater

EVENTS = ("BOUNCE", "COMPLAINT", "DELIVERY", "REJECT", "SEND")
PAGE = 1000
MOST_PAGES = 1000


class Ses:
    """One account in one region. Every call raises the reasons of clients.aws_errors, or TryLater, Refused or Gone."""

    def __init__(self, caller: Caller) -> None:
        self._call = caller.call

    def account(self) -> Standing:
        """What the account may do here, and how much of today's quota is used."""
        return Standing.read(self._call("get_account"))

    def ask_for_production(
        self,
        *,
        mail_type: str,
        website: str,
        use_case: str,
        language: str = "EN",
        contacts: Iterable[str] = (),
    ) -> None:
        """Asks people at Amazon to lift the sandbox; `mail_type` is TRANSACTIONAL or MARKETING. Raises AlreadyAsked.

        Amazon calls the use case deprecated in favour of the support case, and still takes it.
        """
        also = {"AdditionalContactEmailAddresses": list(contacts)} if contacts else {}
        self._call(
            "put_account_details",
            MailType=mail_type,
            WebsiteURL=website,
            ContactLanguage=language,
            UseCaseDescription=use_case,
            ProductionAccessEnabled=True,
            **also,
        )

    def ensure_identity(self, name: str, *, configuration_set: str = "") -> EmailIdentity:
        """The domain or address, made if need be; the tokens of one that exists stay as they are."""
        more = {"ConfigurationSetName": configuration_set} if configuration_set else {}
        try:
            return EmailIdentity.read(name, self._call("create_email_identity", EmailIdentity=name, **more))
        except AlreadyThere:
            return self.identity(name)

    def identity(self, name: str) -> EmailIdentity:
        """The domain or address as it is now; raises Gone if it is not there."""
        return EmailIdentity.read(name, self._call("get_email_identity", EmailIdentity=name))

    def identities(self) -> Iterator[Listed]:
        """All of the account's in this region."""
        for page in self._pages("list_email_identities"):
            for row in page.get("EmailIdentities", ()):
                status = str(row.get("VerificationStatus", ""))
                yield Listed(
                    row["IdentityName"], row["IdentityType"], status, bool(row.get("SendingEnabled"))
                )

    def delete_identity(self, name: str) -> None:
        """Nothing can be sent as it any more; raises Gone if that has happened before."""
        self._call("delete_email_identity", EmailIdentity=name)

    def switch_dkim(self, name: str, *, on: bool) -> None:
        """Whether SES signs what the identity sends."""
        self._call("put_email_identity_dkim_attributes", EmailIdentity=name, SigningEnabled=on)

    def renew_dkim(self, name: str) -> None:
        """Keys of 2048 bits, and a new search for the records, which SES gives up after 72 hours."""
        self._call(
            "put_email_identity_dkim_signing_attributes",
            EmailIdentity=name,
            SigningAttributesOrigin="AWS_SES",
            SigningAttributes={"NextSigningKeyLength": "RSA_2048_BIT"},
        )

    def set_mail_from(self, name: str, domain: str, *, strict: bool = False) -> None:
        """The envelope sender's domain, below the identity's; empty switches it off.

        `strict` refuses messages while its MX is wrong, else SES uses its own name meanwhile.
        """
        self._call(
            "put_email_identity_mail_from_attributes",
            EmailIdentity=name,
            MailFromDomain=domain,
            BehaviorOnMxFailure="REJECT_MESSAGE" if strict else "USE_DEFAULT_VALUE",
        )

    def use_configuration_set(self, name: str, configuration_set: str) -> None:
        """What the identity sends belongs to this set unless a message says otherwise; empty ends that."""
        given = {"ConfigurationSetName": configuration_set} if configuration_set else {}
        self._call("put_email_identity_configuration_set_attributes", EmailIdentity=name, **given)

    def ensure_configuration_set(self, name: str) -> None:
        """Makes it if it is not there."""
        try:
            self._call("create_configuration_set", ConfigurationSetName=name)
        except AlreadyThere:
            return

    def delete_configuration_set(self, name: str) -> None:
        """Raises Gone if that has happened before."""
        self._call("delete_configuration_set", ConfigurationSetName=name)

    def ensure_destination(
        self, configuration_set: str, name: str, *, topic: str, types: Iterable[str] = EVENTS
    ) -> None:
        """From now on the set's events of these types go to this SNS topic; raises Gone if there is no such set."""
        try:
            self.add_destination(configuration_set, name, topic=topic, types=types)
        except AlreadyThere:
            self.change_destination(configuration_set, name, topic=topic, types=types)

    def add_destination(self, configuration_set: str, name: str, *, topic: str, types: Iterable[str]) -> None:
        """Raises AlreadyThere, and Gone if there is no such set."""
        wish = _destination(configuration_set, name, topic, types)
        self._call("create_configuration_set_event_destination", **wish)

    def change_destination(
        self, configuration_set: str, name: str, *, topic: str, types: Iterable[str]
    ) -> None:
        """Raises Gone if there is no such destination or set."""
        wish = _destination(configuration_set, name, topic, types)
        self._call("update_configuration_set_event_destination", **wish)

    def destinations(self, configuration_set: str) -> list[Destination]:
        """Where its events go, as far as that is an SNS topic; raises Gone if there is no such set."""
        answer = self._call(
            "get_configuration_set_event_destinations", ConfigurationSetName=configuration_set
        )
        return [
            Destination(
                row["Name"],
                row["SnsDestination"]["TopicArn"],
                tuple(row["MatchingEventTypes"]),
                bool(row["Enabled"]),
            )
            for row in answer.get("EventDestinations", ())
            if "SnsDestination" in row
        ]

    def suppressed(self) -> Iterator[Suppressed]:
        """Addresses to which SES sends nothing more, in the order of Amazon's."""
        for page in self._pages("list_suppressed_destinations"):
            yield from _suppressed(page)

    def suppressed_page(self, token: str = "") -> tuple[list[Suppressed], str]:
        """A part of that list, and the word that leads to the next part; empty after the last."""
        more = {"NextToken": token} if token else {}
        page = self._call("list_suppressed_destinations", PageSize=PAGE, **more)
        return list(_suppressed(page)), str(page.get("NextToken") or "")

    def allow_again(self, address: str) -> None:
        """Takes an address off that list; raises Gone if it is not on it."""
        self._call("delete_suppressed_destination", EmailAddress=address)

    def _pages(self, method: str) -> Iterator[dict[str, Any]]:
        token: str | None = None
        for _ in range(MOST_PAGES):
            page = self._call(method, PageSize=PAGE, **({"NextToken": token} if token else {}))
            yield page
            last, token = token, page.get("NextToken")
            if not token:
                return
            if token == last:
                break
        raise TryLater("Amazon's list has no end", code="strange", retry_after=60)


def _suppressed(page: dict[str, Any]) -> Iterator[Suppressed]:
    for row in page.get("SuppressedDestinationSummaries", ()):
        yield Suppressed(row["EmailAddress"], row["Reason"], row["LastUpdateTime"])


def _destination(configuration_set: str, name: str, topic: str, types: Iterable[str]) -> dict[str, Any]:
    return {
        "ConfigurationSetName": configuration_set,
        "EventDestinationName": name,
        "EventDestination": {
            "Enabled": True,
            "MatchingEventTypes": list(types),
            "SnsDestination": {"TopicArn": topic},
        },
    }
