"""Whether work takes a time that grows with what it is given, not with its square."""

from collections.abc import Callable
from time import process_time

TIMES = 8


def grows_evenly(work: Callable[[int], object], size: int) -> bool:
    """Compare the CPU time of `work(size)` and `work(8 * size)`: 8 is even, 64 would be a square.

    A ratio within one run, because a slow machine is slow at both; the shortest of three, because
    other programs can only add to it.
    """
    return _shortest(work, TIMES * size) < 3 * TIMES * _shortest(work, size)


def _shortest(work: Callable[[int], object], size: int) -> float:
    return min(_seconds(work, size) for _ in range(3))


def _seconds(work: Callable[[int], object], size: int) -> float:
    began = process_time()
    work(size)
    return process_time() - began
