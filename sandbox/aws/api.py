"""The door of all services: who asks is checked, then whether they may, and only then it is done."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import parse_qs

import flask

from sandbox.aws import permissions, protocols, ses, sigv4, sns
from sandbox.aws.cloud import Call, Cloud
from sandbox.aws.errors import AwsError
from sandbox.aws.iam import Key
from sandbox.aws.sigv4 import Asked, Signed

Answer = flask.typing.ResponseReturnValue
MAKES = ("CreateEmailIdentity", "CreateConfigurationSet", "CreateTopic")
UNKNOWN = "The security token included in the request is invalid."


class Api:
    """Below the stand-in's address: SES by its paths, SNS and STS by forms at its root."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def by_path(self, path: str) -> Answer:
        """SES."""
        asked = _asked()
        try:
            name, labels = protocols.find(asked.method, f"/v2/{path}")
            signed = sigv4.read(asked)
            key = self._admitted(asked, signed)
            query = dict(flask.request.args.lists())
            given = protocols.of_json(name, labels, query, asked.body)
            answer = self._done(
                Call(self._cloud, key, signed.region, given, _here()), "sesv2", name, ses.OPERATIONS
            )
        except AwsError as error:
            return _refused_json(error)
        return _numbered(flask.Response(protocols.as_json(answer), 200, mimetype="application/json"))

    def by_form(self) -> Answer:
        """SNS and STS; which of them stands in the signature."""
        asked, service = _asked(), "sts"
        try:
            signed = sigv4.read(asked)
            service = signed.service if signed.service in sns.OPERATIONS else service
            form = {
                name: values[-1]
                for name, values in parse_qs(asked.body.decode(), keep_blank_values=True).items()
            }
            name = form.get("Action", "")
            key = self._admitted(asked, signed)
            given = protocols.of_form(service, name, form)
            answer = self._done(
                Call(self._cloud, key, signed.region, given, _here()), service, name, sns.OPERATIONS[service]
            )
        except AwsError as error:
            error.code = "MissingAuthenticationToken" if error.code.startswith("MissingAuth") else error.code
            return flask.Response(protocols.error_xml(service, error), error.status, mimetype="text/xml")
        return flask.Response(protocols.as_xml(service, name, answer), 200, mimetype="text/xml")

    def _admitted(self, asked: Asked, signed: Signed) -> Key:
        """A region that is off is no place where a key is known; STS is asked in one that cannot be off."""
        key = sigv4.authenticate(
            self._cloud.iam, asked, signed, float(self._cloud.store.setting("clock", "0"))
        )
        if signed.service == "sts":
            return key
        state = self._cloud.regions.get(key.account, signed.region).state
        if state == "region_off":
            raise AwsError(sigv4.WORDS["unknown"][0 if signed.newer else 1], UNKNOWN, 403)
        if state == "not_signed_up":
            code = "SubscriptionRequiredException" if signed.newer else "OptInRequired"
            raise AwsError(code, "The AWS Access Key Id needs a subscription for the service", 403)
        if state == "throttled":
            code = "TooManyRequestsException" if signed.newer else "Throttling"
            raise AwsError(code, "Maximum sending rate exceeded.", 429 if signed.newer else 400)
        return key

    def _done(self, call: Call, service: str, name: str, operations: dict[str, Any]) -> dict[str, Any]:
        if name not in operations:
            raise AwsError("UnknownOperationException", f"This stand-in does not do {name}", 404)
        if service != "sts":
            resources = permissions.needed(service, name, call.given, call.region, call.account)
            permissions.check(call.cloud.iam, call.key, service, name, resources, call.region)
            _check_room(call, service, name)
        return dict(operations[name](call))


def _check_room(call: Call, service: str, name: str) -> None:
    """Raises AwsError where the account may have no more of what is made."""
    if name not in MAKES or call.cloud.regions.get(call.account, call.region).state != "full":
        return
    if service == "sns":
        raise AwsError("TopicLimitExceeded", "Topic limit exceeded", 403)
    raise AwsError("LimitExceededException", "There are too many instances of the specified resource type.")


def _asked() -> Asked:
    """With the path as it was written, because that is what was signed."""
    request = flask.request
    written = request.environ.get("REQUEST_URI") or request.full_path.rstrip("?")
    url = f"{request.scheme}://{request.host}{written}"
    return Asked(request.method, url, request.headers, request.get_data(cache=True))


def _here() -> str:
    """The stand-in's own address, as the caller has it."""
    return f"{flask.request.host_url.rstrip('/')}{flask.url_for('aws.page').rstrip('/')}"


def _refused_json(error: AwsError) -> flask.Response:
    answer = flask.jsonify({"message": error.says})
    answer.status_code = error.status
    answer.headers["x-amzn-ErrorType"] = error.code
    return _numbered(answer)


def _numbered(answer: flask.Response) -> flask.Response:
    answer.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return answer
