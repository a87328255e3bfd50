"""Only what cannot be seen is removed from typed text."""

import re

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from tests.growth import grows_evenly
from web.text_fields import LineField, LinesField
from web.typed_text import clean_address, clean_code, clean_line, clean_lines, trim

PERSIAN = "می\N{ZERO WIDTH NON-JOINER}خواهم"
SINHALA = "ශ්\N{ZERO WIDTH JOINER}රී"
MALAYALAM = "അവന്\N{ZERO WIDTH JOINER}"
FAMILY = "\U0001f468\N{ZERO WIDTH JOINER}\U0001f469\N{ZERO WIDTH JOINER}\U0001f467"


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("  Ada\t\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}Lovelace\n", "Ada Lovelace"),
        ("Ada\r\nLovelace\u2028Byron\x85King", "Ada Lovelace Byron King"),
        ("\ufeffA\u200bd\u2060a\u200e", "Ada"),
        ("\u202eadA\u202c \u2066x\u2069", "adA x"),
        ("A\x07\x1b[0md\x7fa", "A[0mda"),
        ("e\u0301", "é"),
        ("A\u200d \u200cB\u200d", "A B"),
        ("ａ①ﬁ №", "ａ①ﬁ №"),
        ("O’Brien & Söhne <b>", "O’Brien & Söhne <b>"),
        (PERSIAN, PERSIAN),
        (SINHALA, SINHALA),
        (MALAYALAM, MALAYALAM),
        (FAMILY, FAMILY),
    ],
)
def test_line_is_cleaned(typed, cleaned):
    assert clean_line(typed) == cleaned


UNSEEN = ["\u200b", "\u200d\u200c", " \u2060 ", "\u3164\u115f", "\u202e\u202c", "\u2800", "\ufe0f"]


@pytest.mark.parametrize("typed", UNSEEN)
def test_name_of_unseen_characters_is_empty(typed):
    assert clean_line(typed) == ""
    with pytest.raises(ValidationError) as error:
        LineField().clean(typed)
    assert error.value.code == "required"
    with pytest.raises(ValidationError) as error:
        LinesField().clean(f"{typed}\r\n{typed}")
    assert error.value.code == "required"


def test_lines_keep_their_breaks():
    assert clean_lines("\n One  two\u200b\r\n\r\n\u202ethree\x07\u2028four \n\n") == (
        "One two\n\nthree\nfour"
    )


def test_browsers_line_breaks_count_as_one_character():
    assert LinesField(max_length=3).clean("a\r\nb") == "a\nb"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("123 456", "123456"),
        ("12\N{NON-BREAKING HYPHEN}34\N{EN DASH}5\N{MINUS SIGN}6", "123456"),
        ("\u200e123\u200b456\ufeff\n", "123456"),
        ("\uff11\uff12\uff13\N{NARROW NO-BREAK SPACE}٤٥٦", "123456"),
        ("12३४५६", "123456"),
        ("12345a", "12345a"),
        ("²½", "²½"),
    ],
)
def test_code_has_no_blanks_hyphens_or_foreign_digits(typed, code):
    assert clean_code(typed) == code


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text):
    for clean in (clean_line, clean_lines, clean_code, trim):
        assert clean(clean(text)) == clean(text)


@given(st.text())
def test_no_line_turns_the_direction_or_has_control_characters(text):
    assert not re.search(
        r"[\x01-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", clean_line(text)
    )


@pytest.mark.parametrize("clean", [clean_line, clean_lines, clean_code, clean_address])
@pytest.mark.parametrize("part", [" ", "\u200b", "\u200d", "<", '"', "a ", "\u0301\u0327"])
def test_cleaning_takes_a_time_that_grows_with_the_text_only(clean, part):
    assert grows_evenly(lambda length: clean(f"x{part * length}x"), 10_000)
