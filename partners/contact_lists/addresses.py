"""The people in one cell or line: "Ada <ada@example.com>; bob@example.com"."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from partners.contact_lists.records import MOST_ROWS
from partners.enums import ListProblem
from web.refused import Refused

# A quoted name, an address in brackets, Google's and the usual signs between two addresses, others.
_TOKEN = re.compile(r'"[^"]*"|<[^<>]*>| ::: |[,;\n]|[^"<,;\n: ]+|.')
_SEPARATORS = {" ::: ", ",", ";", "\n"}
_ADDRESS = re.compile(r"[^\s@]@[^\s@]")
# A name, at most with a comma in it, then another sign and an address.
_NAME_AND_ADDRESS = re.compile(r"([^,;\t\n]+(?:,[^,;\t\n]+)?)[;\t]([^,;\t\n]+)")
_ONE_ADDRESS = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+")


class Entry(NamedTuple):
    """A person as written: what looks like an address, and the name beside it."""

    name: str
    address: str


class _Part(NamedTuple):
    name: str
    address: str
    separator: str


def has_address(text: str) -> bool:
    """Whether something in the text looks like an address, good or bad."""
    return _ADDRESS.search(text) is not None


def is_one_address(text: str) -> bool:
    """Whether the text looks like an address with nothing beside it."""
    return _ONE_ADDRESS.fullmatch(text.strip()) is not None


def split_people(text: str) -> list[Entry]:
    """Return each person in the text; what is no address is an entry too, so nothing is lost.

    Raises Refused for more people than a list may have.
    """
    people: list[Entry] = []
    before: _Part | None = None
    for part in _parts(text):
        is_surname = before is not None and before.separator == "," and not has_address(part.name)
        if before is not None and is_surname and part.name and part.address:
            # Lovelace, Ada <ada@example.com>
            people.append(Entry(f"{before.name}, {part.name}", part.address))
            before = None
            continue
        if before is not None:
            people.append(Entry("", before.name))
        before = part if not part.address and not has_address(part.name) else None
        if before is None:
            people.extend(_entries(part))
        if len(people) > MOST_ROWS:
            raise Refused(ListProblem.TOO_MANY_ROWS)
    if before is not None:
        people.append(Entry("", before.name))
    return people


def people_of_line(text: str) -> list[Entry]:
    """Return the people of a line like a mail program's "To", or none if it is something else."""
    if not has_address(text):
        return []
    people = split_people(text)
    if not all(has_address(entry.address) for entry in people):
        return []
    return people if len(people) > 1 or people[0].name else []


def person_of_line(text: str) -> Entry | None:
    """Return the person of "Lovelace, Ada; ada@example.com", or None if the line is something else.

    In a list divided by commas such a line is otherwise read as three cells.
    """
    found = _NAME_AND_ADDRESS.fullmatch(text.strip())
    if found is None or has_address(found[1]) or not is_one_address(found[2]):
        return None
    return Entry(found[1].replace('"', "").strip(), found[2].strip())


def _parts(text: str) -> Iterator[_Part]:
    """Divide at the separators, and after each address in brackets."""
    words: list[str] = []
    for match in _TOKEN.finditer(text):
        token = match[0]
        is_bracketed = token.startswith("<") and "@" in token
        if token not in _SEPARATORS and not is_bracketed:
            words.append(token.strip('"') if len(token) > 1 else token)
            continue
        name = "".join(words).strip()
        if name or is_bracketed:
            yield _Part(name, token if is_bracketed else "", token)
        words = []
    if name := "".join(words).strip():
        yield _Part(name, "", "")


def _entries(part: _Part) -> list[Entry]:
    if part.address:
        return [Entry(part.name, part.address)]
    words = part.name.split()
    # "ada lovelace@example.com" can be a name and an address, or an address with a blank too many.
    return [Entry("", word) for word in (words if all(map(has_address, words)) else [part.name])]
