"""Tokens: random in every position, and forgiving of how they are typed."""

import time
from collections import Counter
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partners.tokens import (
    LENGTH,
    LONGEST_PASTE,
    canonical_token,
    grouped_token,
    new_token,
    token_in,
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
        assert token_in(typed) == token


LINK = "https://cloud.example/i/{}"
WRAPPED = {
    "Outlook SafeLinks": "https://eur02.safelinks.protection.outlook.com/?url={encoded}"
    "&data=05%7C02%7C&sdata=0123456789ABCDEFGHJKMNPQRS&reserved=0",
    "Proofpoint v2": "https://urldefense.proofpoint.com/v2/url?u=https-3A__cloud.example_i_{token}"
    "&d=DwMFaQ&c=0123456789abcdefghjkmnpqrs",
    "Proofpoint v3": "https://urldefense.com/v3/__{link}__;!!0123456789abcdefghjkmnpqrs$",
    "Barracuda": "https://linkprotect.cudasvc.com/url?a={encoded}&c=E,1,0123456789abcdefghjkmnpqrs",
    "Mimecast": "https://protect.mimecast.com/s/0123456789abcdefghjkmnpqrs?url={encoded}",
    "Google": "https://www.google.com/url?q={encoded}&sa=D&usg=AOvVaw",
    "two scanners": "https://a.example/?u={twice}",
    "a sentence": "Please open “{link}”, or scan the code.",
    "angle brackets": "<{link}>",
    "Markdown": "[Join us]({link})",
    "query and fragment": "{link}?utm_source=mail&utm_id=1#top",
    "an e-mail's lines": "Open this link:\r\n\r\n  {broken}\r\n",
    "unseen characters": "\ufeff{link}\u200b",
    "the printed sheet": "cloud.example/i/  {grouped}",
    "words and groups": "Your invitation: {grouped}. Thank you",
    "a link and words": "See /i/help, then use {token}.",
}


@given(tokens)
@pytest.mark.parametrize("wrapper", WRAPPED)
def test_token_is_found_in_what_is_around_it(wrapper, token):
    link = LINK.format(token)
    pasted = WRAPPED[wrapper].format(
        token=token,
        link=link,
        encoded=quote(link, safe=""),
        twice=quote(quote(link, safe=""), safe=""),
        broken=f"{link[:40]}\r\n{link[40:]}",
        grouped=grouped_token(token),
    )
    assert token_in(pasted) == token


@given(st.text(max_size=200))
def test_what_is_found_in_any_text_is_a_token_or_none(text):
    token = token_in(text)
    assert token is None or canonical_token(token) == token


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 25,
        "0" * 27,
        "u" * 26,
        "é" * 26,
        "https://cloud.example/i/",
        "0" * 26 + " " * 4_000,
    ],
)
def test_text_without_a_token_has_none(text):
    assert token_in(text) is None


@pytest.mark.parametrize(
    "part", ["0", "0 ", "0-", "-", "/i/", "0000 ", "0" + " " * 50, "%25", "_i_0"]
)
def test_looking_for_a_token_takes_a_time_that_grows_with_the_text_only(part):
    began = time.process_time()
    token_in((part * LONGEST_PASTE)[:LONGEST_PASTE])
    assert time.process_time() - began < 0.25
