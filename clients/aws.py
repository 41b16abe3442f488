"""One customer's account at Amazon Web Services: who the key is, and the ways to SES and SNS in its region."""

from clients.aws_calls import Caller, regions
from clients.aws_errors import RootKey, TemporaryKey
from clients.aws_keys import Credentials
from clients.aws_records import Identity
from clients.aws_ses import Ses
from clients.aws_sns import Sns

__all__ = ["Aws", "Credentials", "Identity", "regions"]

# STS is asked where no account can switch it off: elsewhere a good key and a region that is off look alike.
EVERYWHERE = "us-east-1"


class Aws:
    """Raises the reasons of clients.aws_errors, and TryLater, Refused or Gone; `api_url` is a stand-in's, or empty."""

    def __init__(self, credentials: Credentials, api_url: str = "") -> None:
        self.region = credentials.region
        home = Credentials(credentials.access_key, credentials.secret, EVERYWHERE)
        self._sts = Caller("sts", home, api_url)
        self.ses = Ses(Caller("sesv2", credentials, api_url, ask=self.identity))
        self.sns = Sns(Caller("sns", credentials, api_url, ask=self.identity))

    def identity(self) -> Identity:
        """Who this key is; no policy can forbid the question.

        Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html.
        """
        answer = self._sts.call("get_caller_identity")
        return Identity(account=answer["Account"], arn=answer["Arn"])

    def user(self) -> Identity:
        """The same, and only an IAM user will do; raises RootKey or TemporaryKey for others."""
        found = self.identity()
        if found.kind == "root":
            raise RootKey("the key is the account's own", code="root")
        if found.kind != "user":
            raise TemporaryKey("the key is a temporary one", code="temporary")
        return found
