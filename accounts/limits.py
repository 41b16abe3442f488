"""How often somebody may ask, by address and by network; settings.ACCOUNT_RATE_LIMITS has the figures."""

import time
from math import ceil

from allauth.account import app_settings
from allauth.core import ratelimit
from allauth.core.internal.ratelimit import Rate, get_cache_key, parse_rates
from django.core.cache import DEFAULT_CACHE_ALIAS, cache, caches
from django.core.cache.backends.db import DatabaseCache
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

LEAST_WAIT = 1  # seconds


def seconds_to_wait(request: HttpRequest, action: str, *, key: str = "") -> int:
    """0 if the request may go on, which counts it; else the seconds until another may."""
    if ratelimit.consume(request, action=action, key=key):
        return 0
    rates = parse_rates(app_settings.RATE_LIMITS.get(action))
    return max([LEAST_WAIT, *(_left(request, action, rate, key) for rate in rates)])


def _left(request: HttpRequest, action: str, rate: Rate, key: str) -> int:
    """Seconds until the oldest counted request is forgotten; 0 if there is room."""
    name = get_cache_key(request, app="allauth.account", action=action, rate=rate, key=key)
    history: list[float] = cache.get(name, [])
    return max(0, ceil(history[-1] + rate.duration - time.time())) if len(history) >= rate.amount else 0


def too_often(request: HttpRequest, seconds: int) -> HttpResponse:
    """The same words for every address, known or not."""
    answer = render(request, "accounts/limited.html", {"minutes": ceil(seconds / 60)}, status=429)
    answer["Retry-After"] = str(seconds)
    return answer


def forget() -> int:
    """Removes the counts that are over, and returns how many; a Redis does so itself."""
    if not isinstance(caches[DEFAULT_CACHE_ALIAS], DatabaseCache):
        return 0
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_cache WHERE expires < %s", [timezone.now()])
        return cursor.rowcount
