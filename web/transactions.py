"""Running an action again that PostgreSQL has ended in favour of another one."""

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
# serialization_failure and deadlock_detected
CONFLICTS = {"40001", "40P01"}
PAUSE_SECONDS = 0.05


def whole_transaction(action: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Run the action once more after a deadlock or a serialization failure.

    PostgreSQL has undone all that was in the transaction. What the action does outside of it, like
    keeping a result for the page, counts from the last run. Within a transaction of the caller the
    action runs once, because it is not all that was undone.
    """

    @wraps(action)
    def run(*args: Arguments.args, **options: Arguments.kwargs) -> Result:
        if connection.in_atomic_block:
            return action(*args, **options)
        try:
            return action(*args, **options)
        except OperationalError as error:
            if not is_conflict(error):
                raise
        # The other transaction must first take the locks that this one has let go.
        time.sleep(PAUSE_SECONDS)
        return action(*args, **options)

    return run


def is_conflict(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in CONFLICTS
