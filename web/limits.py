"""Limits per client address or key: those of `ACCOUNT_RATE_LIMITS`, with the time to wait.

They live in the shared cache. Limits that must be exact are counted from rows instead.
"""

import math
import time

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.http import HttpRequest

_APP = "allauth.account"


class LimitReached(Exception):
    """Something was tried too often; `seconds` from now it may be tried again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def count(request: HttpRequest, action: str, *, key: str | None = None) -> None:
    """Count one use of `action` by this client address, user or key. Raises LimitReached."""
    if not ratelimit.consume(request, app=_APP, action=action, key=key, limit_get=True):
        raise LimitReached(_seconds_to_wait(request, action, key))


def look(request: HttpRequest, action: str, *, key: str | None = None) -> None:
    """Raise LimitReached if one more use would be too many; counts nothing."""
    allowed = ratelimit.consume(
        request, app=_APP, action=action, key=key, limit_get=True, dry_run=True
    )
    if not allowed:
        raise LimitReached(_seconds_to_wait(request, action, key))


def take_back(request: HttpRequest, action: str, *, key: str | None = None) -> None:
    """Forget the newest use that was counted: it turned out to be harmless."""
    for rate in ratelimit.get_rates(app=_APP, action=action):
        cache_key = ratelimit.get_cache_key(request, app=_APP, action=action, rate=rate, key=key)
        with ratelimit.cache_lock(cache_key) as locked:
            if locked:
                cache.set(cache_key, cache.get(cache_key, [])[1:], rate.duration)


def forget(request: HttpRequest, action: str, *, key: str) -> None:
    """Forget everything that was counted for this key."""
    ratelimit.clear(request, app=_APP, action=action, key=key)


def network_of(request: HttpRequest) -> str:
    """Return the client's address as limits count it: an IPv6 client by its /64 network."""
    return str(ratelimit.get_ip(request))


def _seconds_to_wait(request: HttpRequest, action: str, key: str | None) -> int:
    wait = 1.0
    for rate in ratelimit.get_rates(app=_APP, action=action):
        cache_key = ratelimit.get_cache_key(request, app=_APP, action=action, rate=rate, key=key)
        history = cache.get(cache_key, [])
        if len(history) >= rate.amount:
            wait = max(wait, history[-1] + rate.duration - time.time())
    return math.ceil(wait)
