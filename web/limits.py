"""Limits on how often one client or user may do something, counted in the shared cache.

`RATE_LIMITS` names the actions, each with a number of uses and a window in seconds. A window begins
with the first use; when it is over, the count starts again: around its end up to twice the number
may pass. Limits that must survive the loss of the cache are counted from rows instead.
"""

import hashlib
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, cache, caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.db import transaction
from django.utils import timezone

from web.locks import lock_name
from web.origin import current_origin
from web.redis_cache import RedisCache
from web.refused import Refused

# A counter is one number: the second in which its window ends, times this, plus the uses.
_END = 10**6
# Counters begin again when they are not below: another program, or an older version, left them.
_LARGEST = 10**16
_in_this_process = threading.Lock()


class LimitRefusal(StrEnum):
    TRIED_TOO_OFTEN = "tried_too_often"


class LimitReached(Refused):
    """`action` was tried too often; `seconds` from now it can be tried again."""

    def __init__(self, action: str, seconds: int) -> None:
        again_at = timezone.now() + timedelta(seconds=seconds)
        super().__init__(LimitRefusal.TRIED_TOO_OFTEN, again_at=again_at)
        self.action = action
        self.seconds = seconds


def count_use(action: str, key: str | None = None) -> None:
    """Count one use of `action` by `key`, by default the client's network. Raises LimitReached.

    A use that is refused is not counted. Of any number of uses at the same time, by all processes,
    exactly as many succeed as the limit says. With the database cache that takes a named lock, and
    a count within a transaction is undone with it: call this outside of one.
    """
    most, seconds = settings.RATE_LIMITS[action]
    ends, uses = _count(_counter(action, key), most, seconds, 1)
    if uses > most:
        raise LimitReached(action, _seconds_until(ends, seconds))


def check_limit(action: str, key: str | None = None) -> None:
    most, seconds = settings.RATE_LIMITS[action]
    ends, uses = _read(cache.get(_counter(action, key)))
    if uses >= most and ends > time.time():
        raise LimitReached(action, _seconds_until(ends, seconds))


def uncount_use(action: str, key: str | None = None) -> None:
    most, seconds = settings.RATE_LIMITS[action]
    _count(_counter(action, key), most, seconds, -1)


def clear_limit(action: str, key: str | None = None) -> None:
    cache.delete(_counter(action, key))


def client_network() -> str:
    """Return the client's address as limits count it: an IPv6 client by its /64 network."""
    return _network_of(current_origin().network_address)


@lru_cache(maxsize=1024)
def _network_of(address: str | None) -> str:
    if address is None:
        return "unknown"
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        # An IPv4 client of a server that listens on IPv6: all of them have one /64.
        return str(ip.ipv4_mapped or IPv6Network((ip, 64), strict=False).network_address)
    return address


def _counter(action: str, key: str | None) -> str:
    digest = hashlib.sha256((client_network() if key is None else key).encode()).hexdigest()
    return f"limit:{action}:{digest}"


def _count(counter: str, most: int, seconds: int, step: int) -> tuple[int, int]:
    """Change a counter unless it would leave 0 to `most`; return its window's end and the uses."""
    now, shared = time.time(), caches[DEFAULT_CACHE_ALIAS]
    if isinstance(shared, RedisCache):
        ends, uses = shared.count(counter, now=now, window=seconds, most=most, step=step)
        return ends, uses
    # Read without the lock first: a refusal needs none.
    ends, uses = _next(shared.get(counter), now, seconds, step)
    if not 0 <= uses <= most:
        return ends, uses
    with _one_at_a_time(counter, shared):
        ends, uses = _next(shared.get(counter), now, seconds, step)
        if 0 <= uses <= most:
            # Rounded up: the cache forgets the counter before its window can look over to anyone.
            shared.set(counter, ends * _END + uses, math.ceil(ends - now))
    return ends, uses


def _next(value: Any, now: float, seconds: int, step: int) -> tuple[int, int]:
    ends, uses = _read(value)
    if ends <= now:
        ends, uses = math.ceil(now) + seconds, 0
    return ends, uses + step


def _read(value: Any) -> tuple[int, int]:
    is_counter = type(value) is int and 0 <= value < _LARGEST
    return (value // _END, value % _END) if is_counter else (0, 0)


@contextmanager
def _one_at_a_time(counter: str, shared: BaseCache) -> Iterator[None]:
    if not isinstance(shared, DatabaseCache):
        with _in_this_process:
            yield
        return
    with transaction.atomic():
        lock_name(counter)
        yield


def _seconds_until(end: int, window: int) -> int:
    return min(window, max(1, math.ceil(end - time.time())))
