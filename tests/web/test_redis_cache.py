"""No cache of ours has anything to close after a request, so that Django does not ask."""

import pytest
from django.core.cache import close_caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.core.signals import request_finished

from web.redis_cache import RedisCache


@pytest.mark.parametrize("backend", [DatabaseCache, RedisCache])
def test_nothing_is_closed_after_a_request(backend):
    assert backend.close is BaseCache.close
    assert request_finished.disconnect(close_caches) is False
