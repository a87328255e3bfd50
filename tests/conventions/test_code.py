"""What our Python says at its head, and what it never says."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

from tests.conventions.sources import ROOT, modules, name

# Words of the domain that have another name here; parts of identifiers, in lower case. Everyday
# words that are wrong only in this meaning (link, code, model, client) are left to the reader.
WRONG_WORDS = {
    "tenant": "customer account",
    "vendor": "partner",
    "otp": "verification code",
    "reseller_mode": "association type",
    "association_kind": "association type",
    "association_mode": "association type",
    "association_model": "association type",
    "invite_code": "token",
    "invitation_code": "token",
    "invite_link": "invitation",
    "invitee": "recipient",
    "suspend": "freeze",
    "unblock": "unfreeze",
    "opt_in": "consent",
    "signup": "registration",
}
# Names that Django and allauth give to their settings, attributes and methods.
FOREIGN_NAMES = {"vendor", "ACCOUNT_SIGNUP_FIELDS", "is_open_for_signup"}


def snake(identifier: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", identifier).lower()


def wrong_words(source: str) -> set[str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    names = {token.string for token in tokens if token.type == tokenize.NAME} - FOREIGN_NAMES
    return {
        identifier
        for identifier in names
        for wrong in WRONG_WORDS
        if re.search(rf"(^|_){wrong}(s|ed)?(_|$)", snake(identifier))
    }


# R01: every change is a POST with a CSRF token, but for these.
WITHOUT_CSRF_TOKEN = {
    # The one click of a mail program: the signed address stands for the token (RFC 8058).
    "partners/views/unsubscribe.py": {"csrf_exempt"},
}


def forbidden(source: str) -> set[str]:
    """Return what the source does that nothing here may do."""
    found = set(re.findall(r"\b(?:TODO|FIXME|XXX)\b", source))
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id="mark_safe" | "csrf_exempt" | "print" as used):
                found.add(used)
            case ast.Attribute(attr="mark_safe" | "csrf_exempt" as used):
                found.add(used)
            case ast.ExceptHandler(type=None):
                found.add("bare except")
    return found


def asks_models(source: str) -> bool:
    """Return whether the source starts a query from a model, not from what it was given."""
    return any(
        isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager"}
        for node in ast.walk(ast.parse(source))
    )


def is_console_view(path: Path) -> bool:
    """Return whether the module has pages for members of a partner, or is one of its parts."""
    parts = path.relative_to(ROOT).parts
    is_view = "views" in parts and parts[0] != "tests"
    return is_view and (parts[0] == "partners" or "partners.views.gate" in path.read_text())


def test_modules_have_docstrings():
    silent = [
        name(path)
        for path in modules()
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert silent == []


def test_words_of_the_domain_have_one_name():
    found = {name(path): wrong_words(path.read_text()) for path in modules()}

    assert {path: words for path, words in found.items() if words} == {}


@pytest.mark.parametrize(
    "source", ["tenant_id = 1", "class OTPCode: ...", "def make_tenants(): ..."]
)
def test_a_wrong_word_is_noticed(source):
    assert wrong_words(source) != set()


def test_nothing_forbidden_is_done():
    found = {name(path): forbidden(path.read_text()) for path in modules()}

    assert {path: what for path, what in found.items() if what} == WITHOUT_CSRF_TOKEN


@pytest.mark.parametrize(
    "source",
    [
        "# TODO: later",
        "print('x')",
        "mark_safe(x)",
        "safestring.mark_safe(x)",
        "@csrf_exempt\ndef view(request): ...",
        "try:\n    pass\nexcept:\n    pass",
    ],
)
def test_something_forbidden_is_noticed(source):
    assert forbidden(source) != set()


def test_console_views_start_from_the_partner():
    asking = [
        name(path) for path in modules() if is_console_view(path) and asks_models(path.read_text())
    ]

    assert asking == []


def test_a_console_view_that_asks_a_model_is_noticed():
    assert is_console_view(ROOT / "partners" / "views" / "invitations.py")
    assert is_console_view(ROOT / "association" / "views" / "console" / "customers.py")
    assert is_console_view(ROOT / "integration" / "views" / "webhooks.py")
    assert not is_console_view(ROOT / "association" / "views" / "landing.py")
    assert asks_models("Invitation.objects.get(pk=pk)")
    assert not asks_models("request.partner.invitations.get(pk=pk)")


def internals(source: str) -> set[str]:
    """Return the imported modules that are internal to a library, which may change them freely."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {module for module in found if "internal" in module.split(".")}


def test_no_internal_module_of_a_library_is_imported():
    found = {name(path): internals(path.read_text()) for path in modules()}

    assert {path: used for path, used in found.items() if used} == {}


@pytest.mark.parametrize(
    "source",
    [
        "from allauth.mfa.totp.internal.auth import TOTP",
        "from allauth.core import internal",
        "import allauth.account.internal.stagekit",
    ],
)
def test_an_internal_module_is_noticed(source):
    assert internals(source) != set()
