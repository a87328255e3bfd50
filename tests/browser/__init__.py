"""The journeys in a real browser; the helpers' assertions explain themselves like the tests' own."""

import pytest

pytest.register_assert_rewrite("tests.browser.quality", "tests.browser.visitor")
