"""What an authenticator app shows: RFC 6238, independent of the library that it tests."""

import base64
import hmac
import time


def code_now(secret: str) -> str:
    """Return the six digits that an app with this secret shows now."""
    counter = int(time.time()) // 30
    key = base64.b32decode(secret)
    digest = hmac.new(key, counter.to_bytes(8, "big"), "sha1").digest()
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**6:06}"


def wrong_code(secret: str) -> str:
    """Return six digits that the app does not show now."""
    return f"{(int(code_now(secret)) + 1) % 10**6:06}"
