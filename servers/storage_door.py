"""The gate's only door: an agent is recognized as at the door for reports, and asks for objects of its own server. See agent/PROTOCOL.md."""

import math
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from backups import gate, pace
from backups.asked import Nonsense
from engine import prepared
from servers.agent_api import bearer, said_object, unknown

KNOWN = """
SELECT 1 FROM servers_agent AS agent JOIN servers_server AS server ON server.id = agent.server_id
 WHERE agent.server_id = %s AND agent.key_hash = %s AND server.gone_at IS NULL"""


@require_POST
def storage(request: HttpRequest) -> HttpResponse:
    """Who it is comes first: a stranger is told nothing, whatever is asked."""
    try:
        server_id, key_hash = bearer(request)
    except ValueError:
        return JsonResponse({"error": "unknown agent"}, status=401)
    if not prepared.run(KNOWN, [server_id, key_hash]):
        return unknown(server_id)
    if wait := pace.GATE.wait(server_id, pace.A_CALL):
        return _too_fast(wait)
    try:
        return _answered(server_id, said_object(request))
    except ValueError as problem:
        what = str(problem) if isinstance(problem, Nonsense) else "body"
        return JsonResponse({"error": "not a request", "what": what}, status=400)


def _answered(server_id: UUID, said: dict[str, Any]) -> HttpResponse:
    objects = said.get("objects")
    if wait := pace.GATE.wait(server_id, len(objects) if isinstance(objects, list) else 0):
        return _too_fast(wait)
    try:
        status, body = gate.answer(server_id, said)
    except gate.Unavailable as away:
        headers = {"Retry-After": str(away.seconds)}
        return JsonResponse({"error": "the storage is away"}, status=503, headers=headers)
    return JsonResponse(body, status=status)


def _too_fast(seconds: float) -> HttpResponse:
    headers = {"Retry-After": str(math.ceil(seconds))}
    return JsonResponse({"error": "too fast"}, status=429, headers=headers)
