"""Each refusal has its own sentence.

Members of different StrEnums with the same value are one key of a dict: the second one's sentence
would replace the first one's.
"""

import ast
import enum
from importlib import import_module
from types import ModuleType

import pytest

from association.refusal_texts import REFUSAL_TEXTS
from partners.enums import InvitationRefusal
from tests.conventions.sources import modules, name

APPS = ["accounts", "association", "partners", "integration"]
# The log-in at an issuer connects accounts, and refuses what accounts would refuse.
RAISES_OF = {"integration": ["accounts"]}
# An invitation that cannot be followed: association writes more than a sentence about it.
WITH_MORE_THAN_A_SENTENCE = {"InvitationRefusal"}


def refusal_enums(module: ModuleType) -> list[type[enum.StrEnum]]:
    return [
        found
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, enum.StrEnum)
        and found.__module__ == module.__name__
        and found.__name__.endswith(("Refusal", "Problem"))
        and found.__name__ not in WITH_MORE_THAN_A_SENTENCE
    ]


def sentences_of(app: str) -> dict[enum.StrEnum, object]:
    """Return the sentences for the app's own refusals; the API also has some of others'."""
    module = import_module(f"{app}.refusals")
    sentences = {**module.SENTENCES, **getattr(module, "OF_CALLS", {})}
    own = f"{app}.enums"
    return {code: text for code, text in sentences.items() if type(code).__module__ == own}


def names(members) -> list[str]:
    """Return `Enum.MEMBER` of each, because members of two enums can be equal."""
    return sorted(f"{type(member).__name__}.{member.name}" for member in members)


def raised_enums(source: str) -> set[str]:
    """Return the enums whose members the source gives to `Refused(…)`."""
    codes = [
        node.args[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Refused" and node.args
    ]
    return {
        inner.value.id
        for code in codes
        for inner in ast.walk(code)
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name)
        if inner.value.id[0].isupper()
    }


@pytest.mark.parametrize("app", APPS)
def test_every_refusal_has_a_sentence(app):
    sentences = sentences_of(app)
    members = [member for found in refusal_enums(import_module(f"{app}.enums")) for member in found]

    assert names(sentences) == names(members)
    assert all(str(sentence).strip() for sentence in sentences.values())
    # A str was translated when the module was read, so it stays in one language.
    assert [code for code, sentence in sentences.items() if isinstance(sentence, str)] == []
    assert members != []


def test_no_two_refusals_are_equal():
    enums = [found for app in APPS for found in refusal_enums(import_module(f"{app}.enums"))]
    values = sorted(member.value for found in enums for member in found)

    assert values == sorted(set(values))
    assert [found for found in enums if len(found) != len(found.__members__)] == []


@pytest.mark.parametrize("app", APPS)
def test_nothing_else_is_raised(app):
    apps = [app, *RAISES_OF.get(app, [])]
    enums = [found for app in apps for found in refusal_enums(import_module(f"{app}.enums"))]
    known = {found.__name__ for found in enums}
    raised = {name(path): raised_enums(path.read_text()) for path in modules(app)}

    assert {path: found - known for path, found in raised.items() if found - known} == {}
    assert raised_enums("raise Refused(A.B if ahead else C.D, again_at=self.x)") == {"A", "C"}


def test_every_invitation_that_cannot_be_followed_is_explained():
    assert set(InvitationRefusal) <= REFUSAL_TEXTS.keys()


def test_an_equal_refusal_is_noticed():
    first = enum.StrEnum("first", {"ENDED": "ended"})
    second = enum.StrEnum("second", {"ENDED": "ended"})
    sentences = {first.ENDED: "The first.", second.ENDED: "The second."}

    assert sentences == {first.ENDED: "The second."}
    assert names(sentences) != names([first.ENDED, second.ENDED])
