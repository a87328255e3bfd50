"""The test issuer that `DEMO_OIDC=1 make run` starts beside the demo, and the people it knows."""

import json
import logging
import warnings
from datetime import UTC, datetime, timedelta

NAME = "Example Cloud ID"
_DAY = timedelta(days=1)
# What each shows, by the name with which to log in there.
SHOWN = {
    "ada@identity.example": "registered two days ago: may join by e-mail, not by a link",
    "grace@identity.example": "her country is not known: it is asked for",
    "old@identity.example": "registered a month ago: too long to join",
    "unproven@identity.example": "the address is not confirmed: not logged in",
}


def issuer_address(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def issuer_setting(port: int) -> str:
    """Return OIDC_PROVIDERS for this issuer."""
    claims = {"country": "country", "registered_at": "registered_at"}
    row = {
        "id": "demo",
        "name": NAME,
        "issuer": issuer_address(port),
        "client_id": "demo",
        "client_secret": "demo",
        "claims": claims,
        "registration": True,
        "amr": ["otp"],
    }
    return json.dumps([row])


def issuer_command(port: int, now: datetime | None = None) -> list[str]:
    """Return the arguments with which Python runs the issuer."""
    now = now or datetime.now(UTC)
    people = [
        _person("ada@identity.example", name="Ada", country="IE", registered_at=now - 2 * _DAY),
        _person("grace@identity.example", name="Grace Green", registered_at=now - _DAY),
        _person("old@identity.example", country="FR", registered_at=now - 30 * _DAY),
        _person("unproven@identity.example", email_verified=False),
    ]
    command = ["-m", "demo.issuer", "--port", str(port)]
    return [*command, *(part for claims in people for part in ("--user-claims", claims))]


def main() -> None:
    """Run the issuer's own program without what it tells its developers, calls and old imports."""
    # These libraries are there for development only, and are imported in this process only.
    from authlib.deprecate import AuthlibDeprecationWarning  # noqa: PLC0415

    # It turns these warnings on when it is imported: an option of Python comes too early.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from oidc_provider_mock.__main__ import run  # noqa: PLC0415

    # The program logs every call, at this level.
    logging.disable(logging.INFO)
    run()


def _person(address: str, registered_at: datetime | None = None, **claims: str | bool) -> str:
    known = {"sub": address, "email": address, "email_verified": True, **claims}
    if registered_at is not None:
        known["registered_at"] = registered_at.isoformat()
    return json.dumps(known)


if __name__ == "__main__":
    main()
