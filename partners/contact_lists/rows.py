"""What is wrong with a person of a list, or remarkable; a good one gets its canonical values."""

from accounts.fields import NOT_OFFERED
from partners.contact_lists.countries import code_of_country
from partners.enums import RowProblem, RowRemark
from partners.models import BatchRow
from web.downloads import FORMULA_STARTS
from web.email_addresses import InvalidAddress, canonical_address, is_address
from web.refused import Refused

# The row that the template has.
EXAMPLE_ADDRESS = "name@example.com"
LONGEST_NAME = 120
LONGEST_NOTE = 500
LONGEST_REFERENCE = 128
# What a letter becomes that no encoding has.
_UNREADABLE = "\ufffd"


def check_row(row: BatchRow, seen: set[str]) -> None:
    """Give the row its address and country in canonical form, or its problem and nothing else.

    `seen` are the addresses of the rows before. A remark is what the reader of the report should
    know of a good row.
    """
    try:
        _check_texts(row)
        address = _address(row.email, seen)
    except Refused as refused:
        row.problem, row.remark = refused.code.value, ""
        return
    row.email = address
    seen.add(address)
    remarks = [_unreadable(row), _name_as_address(row), _country(row)]
    row.remark = next((remark for remark in reversed(remarks) if remark), row.remark)


def _check_texts(row: BatchRow) -> None:
    # The quote before a formula is what our own downloads put there.
    texts = (row.name, row.email, row.country, row.note, row.reference)
    if any(text.removeprefix("'").startswith(FORMULA_STARTS) for text in texts):
        raise Refused(RowProblem.FORMULA)
    if len(row.name) > LONGEST_NAME:
        raise Refused(RowProblem.NAME_TOO_LONG)
    if len(row.note) > LONGEST_NOTE:
        raise Refused(RowProblem.NOTE_TOO_LONG)
    if len(row.reference) > LONGEST_REFERENCE:
        raise Refused(RowProblem.REFERENCE_TOO_LONG)


def _address(text: str, seen: set[str]) -> str:
    if not text:
        raise Refused(RowProblem.NO_ADDRESS)
    try:
        address = canonical_address(text)
    except InvalidAddress as error:
        raise Refused(RowProblem.BAD_ADDRESS) from error
    if address == EXAMPLE_ADDRESS:
        raise Refused(RowProblem.EXAMPLE)
    if address in seen:
        raise Refused(RowProblem.DUPLICATE)
    return address


def _unreadable(row: BatchRow) -> str:
    is_broken = _UNREADABLE in row.name or _UNREADABLE in row.note
    return RowRemark.UNREADABLE_LETTER.value if is_broken else ""


def _name_as_address(row: BatchRow) -> str:
    """Empty a name that is an address: no e-mail greets with it."""
    if not is_address(row.name):
        return ""
    row.name = ""
    return RowRemark.NAME_IS_ADDRESS.value


def _country(row: BatchRow) -> str:
    """Put the country's code in the place of its name; an unknown country is left empty."""
    if not row.country:
        return ""
    code = code_of_country(row.country)
    row.country = "" if code is None or code in NOT_OFFERED else code
    if code is None:
        return RowRemark.UNKNOWN_COUNTRY.value
    return RowRemark.COUNTRY_NOT_OFFERED.value if code in NOT_OFFERED else ""
