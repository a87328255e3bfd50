"""RATE_LIMITS: how often something may be done, counted by web/limits.py."""

_MINUTE, _HOUR = 60, 60 * 60
# How many uses within a window of how many seconds, per client network unless it says otherwise.
RATE_LIMITS = {
    # Failed log-ins: per login (an address or an account name) and client network,
    "login_failed": (5, 5 * _MINUTE),
    # per client network,
    "login_failed_from_network": (10, _MINUTE),
    # per login over all networks: beyond this the owner is told,
    "login_failed_anywhere": (20, _HOUR),
    # and per login, with a known browser apart: beyond this a browser proves the account's mailbox.
    "login_failed_in_a_day": (100, 24 * _HOUR),
    # Per user: the code at the log-in; password and code when the second step is turned on or off.
    "second_factor_at_login": (5, 5 * _MINUTE),
    "second_factor": (5, 5 * _MINUTE),
    "change_password": (5, 5 * _MINUTE),
    "rename_account": (10, _HOUR),
    "unknown_token": (60, _MINUTE),
    # A whole audience that scans a code from a slide may share one network.
    "start_attempt": (600, _HOUR),
    "send_code": (300, _HOUR),  # to any e-mail addresses
    # Codes to log in with a new browser, per e-mail address and client network.
    "log_in_code": (1, _MINUTE),
    "log_in_codes_in_an_hour": (5, _HOUR),
    # Calls of the API: per key of a partner, of the provider (which calls at every purchase), none.
    "api": (600, _MINUTE),
    "provider_api": (30_000, _MINUTE),
    "api_unknown_key": (60, _MINUTE),
    # Log-ins at an issuer, and failed calls of one: beyond those it is not called for a while.
    "issuer_log_in": (600, _HOUR),
    "issuer_failures": (5, 2 * _MINUTE),
    # Requests for an online invitation; each sends e-mails to the partner's members.
    "ask": (20, _HOUR),
}
