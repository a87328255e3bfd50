"""The journeys in a real browser."""

import pytest

# Their helpers' assertions explain themselves like the tests' own.
pytest.register_assert_rewrite("tests.browser.quality", "tests.browser.visitor")
