"""Tokens: random in every position, and forgiving of how they are typed."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partners.tokens import (
    LENGTH,
    canonical_token,
    grouped_token,
    new_token,
    token_typed_by_hand,
)
from web.random_ids import CROCKFORD

tokens = st.text(alphabet=CROCKFORD, min_size=LENGTH, max_size=LENGTH)
LOOK_ALIKES = {"0": "0oO", "1": "1iIlL"}


def test_hundred_thousand_tokens_are_distinct_and_uniform_in_every_position():
    made = [new_token() for _ in range(100_000)]
    assert len(set(made)) == len(made)
    assert {len(token) for token in made} == {LENGTH}
    expected = len(made) / len(CROCKFORD)
    for position in range(LENGTH):
        seen = Counter(token[position] for token in made)
        assert set(seen) == set(CROCKFORD)
        chi_square = sum((count - expected) ** 2 / expected for count in seen.values())
        # 31 degrees of freedom: more than 79.3 happens once in 250,000 times, and we look 26 times.
        assert chi_square < 79.3


def test_tokens_in_sequence_do_not_follow_from_each_other():
    made = [new_token() for _ in range(20_000)]
    same = sum(
        a == b for one, next_one in pairwise(made) for a, b in zip(one, next_one, strict=True)
    )
    # One letter in 32 agrees by chance: 16,249 ± 125.
    assert 15_500 < same < 17_000


@given(tokens, st.data())
def test_token_in_any_case_and_with_look_alikes_is_canonical(token, data):
    typed = "".join(
        data.draw(st.sampled_from(LOOK_ALIKES.get(letter, letter + letter.upper())))
        for letter in token
    )
    assert canonical_token(typed) == token


@given(st.text(max_size=40))
def test_canonical_token_of_any_text_is_canonical_or_none(text):
    token = canonical_token(text)
    assert token is None or (token == canonical_token(token) and set(token) <= set(CROCKFORD))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 25,
        "0" * 27,
        "0" * 400,
        "0" * 26 + "\n",
        " " + "0" * 25,
        "0" * 26 + " ",
        "0" * 25 + "\n",
        "u" * 26,
        "0" * 25 + "u",
        "0" * 25 + "-",
        "0" * 25 + "\x00",
        "0" * 25 + "\uff10",
        "0" * 25 + "\u017f",
        "0" * 25 + "\u212a",
        "0" * 25 + "\u0131",
        "'" * 26,
        "null",
        "-1",
    ],
)
def test_mutated_token_is_none(text):
    assert canonical_token(text) is None


@given(tokens)
def test_printed_token_typed_by_hand_is_recognised(token):
    printed = grouped_token(token)
    assert len(printed.split(" ")) == 7
    for typed in (
        printed,
        printed.replace(" ", "-"),
        printed.replace(" ", " – ").lower(),
        f"  {token}\n",
        f"https://example.com/i/{token}",
        f"HTTPS://EXAMPLE.COM/I/{token.upper()}/",
    ):
        assert token_typed_by_hand(typed) == token
