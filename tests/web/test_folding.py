"""Text without case and accents."""

import pytest

from web.folding import fold, sought_folded


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Müller & Söhne", "muller & sohne"),
        ("Mu\u0308ller", "muller"),
        ("STRASSE Straße", "strasse strasse"),
        ("Łódź, Ærø, Œuvre, Đà Nẵng", "lodz, aero, oeuvre, da nang"),
        ("İstanbul, Diyarbak\u0131r", "istanbul, diyarbakir"),
        ("Ангел, Йод", "ангел, иод"),
        # These marks make another letter.
        ("ガラス", "ガラス"),
        ("ﬁne\nK-7", "fine\nk-7"),
        ("", ""),
    ],
)
def test_text_is_folded_and_folding_twice_changes_nothing(text, folded):
    assert fold(text) == folded
    assert fold(folded) == folded


@pytest.mark.parametrize(
    ("typed", "sought"),
    [
        ("Mueller", ["mueller", "muller"]),
        ("Goethes Blaetter", ["goethes blaetter", "gothes blatter"]),
        ("Müller", ["muller"]),
    ],
)
def test_spelled_out_vowels_are_sought_with_and_without_their_e(typed, sought):
    assert sought_folded(typed) == sought
