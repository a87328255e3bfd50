"""A flood of requests does not become a flood of lines."""

import logging

from web.sampling import Sampler, SampleRefusals


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_first_lines_of_a_window_are_admitted_and_the_next_window_tells_how_many_were_not():
    clock = Clock()
    sampler = Sampler(most=3, seconds=60, clock=clock)
    assert [sampler.admit("a") for _ in range(5)] == [0, 0, 0, None, None]
    clock.now = 59.9
    assert sampler.admit("a") is None
    clock.now = 60
    assert [sampler.admit("a") for _ in range(2)] == [3, 0]


def test_each_kind_is_counted_for_itself():
    sampler = Sampler(most=1, seconds=60, clock=Clock())
    assert [sampler.admit(kind) for kind in ("a", "b", "a", "b")] == [0, 0, None, None]


def test_a_window_without_left_out_lines_says_nothing():
    clock = Clock()
    sampler = Sampler(most=3, seconds=60, clock=clock)
    sampler.admit("a")
    clock.now = 61
    assert sampler.admit("a") == 0


def record(status):
    made = logging.LogRecord("flood", logging.WARNING, "", 0, "Not Found: %s", ("/x",), None)
    made.status_code = status
    return made


def test_lines_about_answers_of_4xx_and_503_are_sampled_and_those_of_500_are_not():
    sample = SampleRefusals()
    sent = [404] * 200 + [503] * 200 + [500] * 200
    admitted = [status for status in sent if sample.filter(record(status))]
    assert [admitted.count(status) for status in (404, 503, 500)] == [60, 60, 200]
