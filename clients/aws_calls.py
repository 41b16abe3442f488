"""Calls to Amazon through its own library: one session for the process, time-outs, no repeats, and every failure sorted.

Loading a service's description takes a tenth of a second; the session keeps what it has loaded, and after that a client takes
some milliseconds. So clients are made for each set of credentials and nothing that is kept knows a credential.
"""

import functools
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from clients.aws_errors import RegionNotEnabled, TemporaryKey, WrongKey, sorted_answer
from clients.aws_keys import TEMPORARY, Credentials
from clients.errors import Refused, TryLater

CONNECT, READ = 3, 10  # seconds
PREFIXES = {"sesv2": "ses"}  # where IAM has another word for a service than the library
NOTHING = (None, None, None, None)
# What stands in the environment or in files of whoever runs us is not the customer's.
APART = {
    "profile": NOTHING,
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
_making = threading.Lock()
logging.getLogger("botocore").setLevel(logging.INFO)  # below that it writes down signatures and tokens


class Caller:
    """One service in one region, for one key. Raises the reasons of clients.aws_errors, TryLater, Refused or Gone."""

    def __init__(
        self, service: str, credentials: Credentials, api_url: str, ask: Callable[[], object] | None = None
    ) -> None:
        """`ask` finds out whether the key is good at all: a service calls it unknown also where the region is off."""
        self._service, self._credentials, self._url, self._ask = service, credentials, api_url, ask
        self._client: Any = None

    def call(self, method: str, **given: object) -> dict[str, Any]:
        """The answer to one call, repeated by nobody but who calls."""
        done = self._try(method, given)
        if isinstance(done, WrongKey) and self._ask:
            done = self._explained(done)
        if isinstance(done, Exception):
            raise done
        return done

    def _try(self, method: str, given: dict[str, object]) -> dict[str, Any] | Exception:
        """The answer or the reason; raised by the caller, so that no frame that signed hangs on it."""
        if TEMPORARY.fullmatch(self._credentials.access_key):
            return TemporaryKey("the key is a temporary one", code="temporary")
        action = f"{PREFIXES.get(self._service, self._service)}:{_camel(method)}"
        try:
            return _proven(dict(getattr(self._made(), method)(**given)), action)
        except ClientError as error:
            return sorted_answer(error.response, action)
        except (ConnectTimeoutError, ReadTimeoutError):
            return TryLater(f"Amazon did not answer {action} in time", code="timeout", retry_after=15)
        except (BotoCoreError, ResponseParserError, ValueError) as error:
            return _unsent(error, action)

    def _explained(self, doubt: WrongKey) -> Exception:
        """Asked elsewhere, a key that is known there is refused here for the region's sake."""
        try:
            self._ask() if self._ask else None
        except WrongKey:
            return doubt
        except Exception as other:
            return other.with_traceback(None)
        region = self._credentials.region
        return RegionNotEnabled(f"the region {region} is not enabled in this account", code=doubt.code)

    def _made(self) -> Any:
        if self._client is None:
            with _making:  # the library's sessions are not for several threads at once
                self._client = _session().client(
                    self._service,
                    region_name=self._credentials.region,
                    endpoint_url=self._url or None,
                    aws_access_key_id=self._credentials.access_key,
                    aws_secret_access_key=self._credentials.secret,
                    config=_config(),
                )
        return self._client


def regions() -> list[str]:
    """Where SES can be spoken to, by Amazon's names, in alphabetical order."""
    with _making:
        return sorted(_session().get_available_regions("sesv2"))


@functools.cache
def _session() -> Any:
    """Without a profile, without files, without credentials."""
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=APART))


@functools.cache
def _config() -> Config:
    return Config(
        connect_timeout=CONNECT,
        read_timeout=READ,
        retries={"total_max_attempts": 1, "mode": "standard"},
        ignore_configured_endpoint_urls=True,
        user_agent_appid="mailat",
        parameter_validation=True,
    )


def _camel(method: str) -> str:
    return "".join(word.capitalize() for word in method.split("_"))


def _proven(answer: dict[str, Any], action: str) -> dict[str, Any] | Exception:
    """Amazon numbers every answer; to the library a proxy's page is an answer in which nothing stands."""
    if answer.get("ResponseMetadata", {}).get("RequestId"):
        return answer
    return TryLater(f"the answer to {action} is not Amazon's", code="strange", retry_after=60)


def _unsent(error: Exception, action: str) -> Exception:
    """What the library could not send, or what came back was no answer of Amazon's."""
    name = type(error).__name__
    if name in ("ParamValidationError", "InvalidRegionError"):
        return Refused(f"{action} cannot be asked like this ({name})", code=name)
    return TryLater(f"Amazon could not be reached for {action} ({name})", code="network", retry_after=15)
