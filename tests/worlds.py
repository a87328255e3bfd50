"""Rows that take long to create: created once for a module, removed after its last test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import transaction


def module_world(build: Callable[[], Any]) -> Any:
    """Make `build` a fixture that runs once per module and returns what `build` returned.

    All tests of the module run inside the transaction of the world, each in a savepoint, also
    those that do not name the fixture. The returned object is shared: a test may change rows, but
    not this object. Tests that commit cannot be in such a module (tests/conftest.py checks it).
    """

    @pytest.fixture(scope="module", autouse=True, name=build.__name__)
    def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
        with django_db_blocker.unblock(), ExitStack() as stack:
            if "DatabaseCache" not in settings.CACHES["default"]["BACKEND"]:
                # Limits that the previous module used up; see `_empty_cache`.
                cache.clear()
            stack.enter_context(rolled_back())
            built = build()
            end = stack.pop_all().close
        # In between, only tests that ask for the database may use it.
        yield built
        with django_db_blocker.unblock():
            end()

    return world


@contextmanager
def rolled_back() -> Iterator[None]:
    """Open a transaction that is always rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
