"""Log lines of one kind are bounded, and the next one tells how many were left out."""

import logging

import pytest

from association.views import remembered
from web.sampling import Sampler


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_the_first_events_of_each_period_are_taken():
    clock = Clock()
    sampler = Sampler(most=2, seconds=60, clock=clock)
    assert [sampler.take() for _ in range(5)] == [0, 0, None, None, None]
    clock.now = 59
    assert sampler.take() is None
    clock.now = 60
    assert [sampler.take() for _ in range(3)] == [4, 0, None]
    clock.now = 360
    assert [sampler.take() for _ in range(2)] == [1, 0]


@pytest.mark.django_db
def test_a_flood_of_unknown_links_is_a_few_lines(client, caplog, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(remembered, "_refused", Sampler(most=3, seconds=60, clock=clock))
    with caplog.at_level(logging.INFO):
        for _ in range(10):
            assert client.get(f"/i/{'z' * 26}").status_code == 404
        clock.now = 61
        assert client.get(f"/i/{'z' * 26}").status_code == 404
    lines = [(record.name, record.getMessage()) for record in caplog.records]
    unknown = ("django.request", "Not Found: /i/…")
    left_out = ("web.sampling", "7 answers like the next one were not logged.")
    assert lines == [unknown, unknown, unknown, left_out, unknown]
