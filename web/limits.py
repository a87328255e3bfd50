"""Limits on how often one client or user may do something, counted in the shared cache.

`RATE_LIMITS` names the actions, each with a number of uses and a window in seconds. A window begins
with the first use; when it is over, the count starts again: around its end up to twice the number
may pass. Limits that must survive the loss of the cache are counted from rows instead.
"""

import hashlib
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, cache, caches
from django.core.cache.backends.db import DatabaseCache
from django.db import transaction
from django.utils import timezone
from redis.exceptions import ResponseError

from web.locks import lock_name
from web.origin import current_origin
from web.refused import Refused

# A counter is one number: the second in which its window ends, times this, plus the uses. One
# number can be read and raised in one step; two could tell of different windows.
_END = 10**6
# What Redis can count to.
_LARGEST = 2**63
# Another program, or an older version of ours, has left a value that is no counter.
BROKEN = (TypeError, ResponseError)


class LimitRefusal(StrEnum):
    TRIED_TOO_OFTEN = "tried_too_often"


class LimitReached(Refused):
    """Something was tried too often; `seconds` from now it can be tried again."""

    def __init__(self, seconds: int) -> None:
        again_at = timezone.now() + timedelta(seconds=seconds)
        super().__init__(LimitRefusal.TRIED_TOO_OFTEN, again_at=again_at)
        self.seconds = seconds


def count_use(action: str, key: str | None = None) -> None:
    """Count one use of `action` by `key`, by default the client's network. Raises LimitReached.

    A use that is refused is not counted. Of any number of uses at the same time, by all processes,
    exactly as many succeed as the limit says. With the database cache that takes a named lock, and
    a count within a transaction is undone with it: call this outside of one.
    """
    check_limit(action, key)
    most, seconds = settings.RATE_LIMITS[action]
    counter = _counter(action, key)
    with _one_at_a_time(counter):
        end, uses = _read(_raise_counter(counter, seconds))
    if uses > most:
        uncount_use(action, key)
        raise LimitReached(_seconds_until(end, seconds))


def check_limit(action: str, key: str | None = None) -> None:
    most, seconds = settings.RATE_LIMITS[action]
    end, uses = _read(cache.get(_counter(action, key), 0))
    if uses >= most and end > time.time():
        raise LimitReached(_seconds_until(end, seconds))


def uncount_use(action: str, key: str | None = None) -> None:
    counter = _counter(action, key)
    with _one_at_a_time(counter), suppress(ValueError, *BROKEN):
        _end, uses = _read(cache.get(counter, 0))
        if uses:
            _change(counter, -1, settings.RATE_LIMITS[action][1])


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


def _read(value: Any) -> tuple[int, int]:
    is_counter = type(value) is int and 0 <= value < _LARGEST
    return (value // _END, value % _END) if is_counter else (0, 0)


def _raise_counter(counter: str, seconds: int) -> int:
    now = time.time()
    # Rounded up: the cache forgets the counter before its window can look over to anyone.
    fresh = (math.ceil(now) + seconds) * _END + 1
    try:
        value = _change(counter, 1, seconds)
    except BROKEN:
        cache.set(counter, fresh, seconds)
        return fresh
    except ValueError:
        # Of two that begin the window at once, one adds the counter and the other raises it.
        return fresh if cache.add(counter, fresh, seconds) else _change(counter, 1, seconds)
    if _read(value)[0] > now:
        return value
    # Django asks Redis whether the key exists, then raises it. A key that expires between the two
    # is created without an expiry; here it gets one.
    cache.set(counter, fresh, seconds)
    return fresh


def _change(counter: str, uses: int, seconds: int) -> int:
    """Add to a counter. Raises ValueError where there is none."""
    if not _is_in_database():
        return cache.incr(counter, uses)
    value: Any = cache.get(counter, ...)
    if value is ...:
        raise ValueError(counter)
    # Not incr(), which would let the counter expire after the cache's default time.
    raised: int = value + uses
    cache.set(counter, raised, seconds)
    return raised


@contextmanager
def _one_at_a_time(counter: str) -> Iterator[None]:
    if not _is_in_database():
        yield
        return
    with transaction.atomic():
        lock_name(counter)
        yield


def _is_in_database() -> bool:
    return isinstance(caches[DEFAULT_CACHE_ALIAS], DatabaseCache)


def _seconds_until(end: int, window: int) -> int:
    return min(window, max(1, math.ceil(end - time.time())))
