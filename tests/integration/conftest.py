"""An issuer for the tests that ask for one."""

import pytest

from tests.integration.issuer import listening


@pytest.fixture(scope="module")
def _issuer():
    with listening() as issuer:
        yield issuer


@pytest.fixture
def issuer(_issuer, settings):
    settings.OIDC_PROVIDERS = _issuer.configured()
    before = dict(vars(_issuer))
    before["claims"], before["requests"] = dict(_issuer.claims), []
    yield _issuer
    vars(_issuer).update(before, answers={}, tampered={}, userinfo={})
