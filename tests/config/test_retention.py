"""The settings of retention: days from the environment, within limits."""

from datetime import timedelta

import environ
import pytest

from config.retention import read_retention


def test_days_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("RETENTION_DAYS_EMAILS", "30")

    found = read_retention(environ.Env())

    assert (found["EMAILS"], found["ATTEMPTS"]) == (timedelta(days=30), timedelta(days=90))


@pytest.mark.parametrize("text", ["6", "-1", "1_000", "٩٠", "90.0", "36501", "never"])
def test_other_values_end_in_one_sentence(monkeypatch, text):
    monkeypatch.setenv("RETENTION_DAYS_EMAILS", text)

    with pytest.raises(SystemExit) as ended:
        read_retention(environ.Env())
    assert ended.value.code == (
        f"RETENTION_DAYS_EMAILS={text} is not a number of days from 7 to 36500."
    )
