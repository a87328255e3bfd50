"""Text without case and accents."""

import pytest

from web.folding import fold


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
