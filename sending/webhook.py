"""The door for Amazon's messages: kept as they came where they are for a topic of ours, and read later by a program.

SNS takes any answer of 4xx but 429 for final and repeats after 5xx:
https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html.
"""

import json
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from clients.sns_messages import ID, MOST_BYTES
from engine import actions as engine
from sending.models import Notice, Topic
from sending.programs.read_notice import ReadNotice


@csrf_exempt
@require_POST
def ses(request: HttpRequest, home: UUID, token: str) -> HttpResponse:
    """200 once it is kept, whether or not it was before; 404 for whoever does not know the token, 400 for what is no message."""
    topic = Topic.objects.filter(home=home).first()
    if topic is None or not constant_time_compare(topic.token, token):
        return HttpResponse(status=404)
    body = request.read(MOST_BYTES + 1)
    told = _read(body)
    if (
        len(body) > MOST_BYTES
        or told.get("TopicArn") != topic.arn
        or not ID.fullmatch(str(told.get("MessageId")))
    ):
        return HttpResponse("This is no message of your topic.\n", status=400, content_type="text/plain")
    keep(told["MessageId"], home, body.decode())
    return HttpResponse("Kept.\n", content_type="text/plain")


def _read(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body.decode())
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


@transaction.atomic
def keep(message: str, home: UUID, body: str) -> None:
    """Once, however often it comes."""
    notice, made = Notice.objects.get_or_create(
        home=home, message=message, defaults={"body": body.replace("\x00", "")}
    )
    if made:
        engine.start(ReadNotice, subject=f"notice:{notice.pk}")
