"""The settings of how people log in: at which issuers, and whether with passwords of ours."""

import environ

from accounts.issuers import InvalidIssuers, Issuer, read_issuers
from config.logs import refuse_to_start


def log_in_settings(env: environ.Env, *, is_demo: bool) -> tuple[tuple[Issuer, ...], bool]:
    """Return OIDC_PROVIDERS and PASSWORD_LOGIN, or end the program with a sentence."""
    try:
        issuers = read_issuers(env.str("OIDC_PROVIDERS", default=""), allow_http=is_demo)
    except InvalidIssuers as error:
        refuse_to_start(f"OIDC_PROVIDERS: {error}.")
    with_passwords: bool = env.bool("PASSWORD_LOGIN", default=True)
    if not with_passwords and not issuers:
        refuse_to_start("PASSWORD_LOGIN is off and OIDC_PROVIDERS is empty: no way to log in.")
    return issuers, with_passwords
