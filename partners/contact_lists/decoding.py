"""From the bytes of a file to its text: UTF-8, UTF-16 with its mark, or Windows-1252."""

import codecs

from partners.enums import ListProblem
from web.refused import Refused

# The beginnings of .xlsx and .ods (ZIP) and of .xls.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# vCard, and the LDIF that Thunderbird exports unless CSV is chosen.
_CARDS = ("begin:vcard", "dn:")
_MARK = "\ufeff"


def decode_list(content: bytes) -> tuple[str, bool]:
    """Return the text, and whether Windows-1252 was guessed for a part of it. Raises Refused."""
    if content.startswith(_WORKBOOKS):
        raise Refused(ListProblem.WORKBOOK)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace"), False
    try:
        return content.decode(), False
    except UnicodeDecodeError:
        # By lines: a list that was put together from two files can have both encodings.
        return "".join(_decode_line(line) for line in content.splitlines(keepends=True)), True


def check_text(text: str) -> str:
    """Return the text without its mark, with one kind of line break. Raises Refused."""
    text = text.removeprefix(_MARK)
    if text[:50].lstrip().casefold().startswith(_CARDS):
        raise Refused(ListProblem.ADDRESS_CARDS)
    if "\0" in text:
        raise Refused(ListProblem.HAS_NUL)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode_line(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")
