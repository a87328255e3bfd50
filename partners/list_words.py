"""What the report on a list says: how it was read, and the remarks on its rows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from partners.enums import ListColumn, ListRemark, RowRemark
from web.templatetags.isolation import isolated

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

REMARKS: dict[str, "StrOrPromise"] = {
    RowRemark.UNKNOWN_COUNTRY: _("The country is not known to us, so none is preselected."),
    RowRemark.COUNTRY_NOT_OFFERED: _(
        "Accounts in this country cannot be registered here, so none is preselected."
    ),
    RowRemark.NAME_IS_ADDRESS: _("The name was an e-mail address, so the e-mail begins without."),
    RowRemark.UNREADABLE_LETTER: _("A letter of the name or the note could not be read."),
    RowRemark.SEVERAL_ADDRESSES: _("The row has several addresses; each is invited."),
    RowRemark.ALREADY_INVITED: _("This person has an invitation from you that is still live."),
    RowRemark.MAILED_TOO_OFTEN: _(
        "This person was sent three invitations within a day, and gets no other now."
    ),
}
_COLUMNS: dict[str, "StrOrPromise"] = {
    ListColumn.EMAIL: _("E-mail"),
    ListColumn.NAME: _("Name"),
    ListColumn.FIRST_NAME: _("First name"),
    ListColumn.LAST_NAME: _("Last name"),
    ListColumn.COUNTRY: _("Country/Region"),
    ListColumn.REFERENCE: _("Your reference"),
    ListColumn.NOTE: _("Note to the customer"),
}


def describe_reading(reading: Mapping[str, Any] | None, *, is_sent: bool = False) -> dict[str, Any]:
    """Return what `partners/_list_reading.html` shows of a `ListReading`; {} for an old list.

    Of a list that `is_sent` it does not say what to look at before.
    """
    if not reading:
        return {}
    columns = reading["columns"]
    if columns == {ListColumn.EMAIL: [1]}:
        # Addresses alone: nothing could be taken for something else.
        columns = {}
    alternatives = gettext(", else ")
    return {
        "columns": [
            (label, alternatives.join(_names_of(columns[column])))
            for column, label in _COLUMNS.items()
            if columns.get(column)
        ],
        "emails": alternatives.join(_names_of(columns.get(ListColumn.EMAIL, []))),
        "unread": ", ".join(_names_of(reading["unread"])),
        "notices": [
            _sentence(code, rows, is_sent=is_sent) for code, rows in reading["remarks"].items()
        ],
        "mailed_notes": ", ".join(_names_of(columns.get(ListColumn.NOTE, []))),
        "private_notes": ", ".join(_names_of(columns.get(ListColumn.PRIVATE_NOTE, []))),
    }


def _names_of(columns: Sequence[str | int]) -> list[str]:
    """Return the columns as they are named on the page: by heading, or else by number."""
    by_heading, by_number = gettext("“%(name)s”"), gettext("column %(name)s")
    return [
        (by_number if isinstance(column, int) else by_heading) % {"name": isolated(str(column))}
        for column in columns
    ]


def _sentence(code: str, rows: int, *, is_sent: bool) -> str:
    if code == ListRemark.WINDOWS_1252:
        read = gettext(
            "The file is not in UTF-8. We read it as Windows-1252, the usual encoding of older"
            " programs."
        )
        check = gettext("Look at some names with special letters before you send.")
        return read if is_sent else f"{read} {check}"
    if code == ListRemark.BEFORE_HEADING:
        text = ngettext(
            "%(rows)s line before the headings was passed over.",
            "%(rows)s lines before the headings were passed over.",
            rows,
        )
    else:
        text = ngettext(
            "%(rows)s line below the table is no person, and was passed over.",
            "%(rows)s lines below the table are no people, and were passed over.",
            rows,
        )
    return text % {"rows": rows}
