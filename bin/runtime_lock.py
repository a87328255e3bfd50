"""Prints the part of requirements.lock that the product itself needs, without its tests' tools.

Uses the standard library only. Each entry of the lock says which packages need it ("via").
"""

import re
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
PRODUCT = "partner-association (pyproject.toml)"
_ENTRY = re.compile(r"^[a-z0-9][^\n]*\n(?:[ ][^\n]*\n)*", re.MULTILINE)
_NAME = re.compile(r"[\w.-]+")
_VIA = re.compile(r"^ +# +(?:via +)?(\S.*)$", re.MULTILINE)


def runtime_entries(lock: str) -> list[str]:
    """Return the entries that lead from the product's own dependencies, in the lock's order."""
    entries = {name_of(entry): entry for entry in _ENTRY.findall(lock)}
    needed_by = {name: _VIA.findall(entry) for name, entry in entries.items()}
    needed = {name for name, parents in needed_by.items() if PRODUCT in parents}
    while True:
        more = {name for name, parents in needed_by.items() if needed & set(map(name_of, parents))}
        if more <= needed:
            return [entry for name, entry in entries.items() if name in needed]
        needed |= more


def name_of(text: str) -> str:
    found = _NAME.match(text)
    return found[0] if found else ""


if __name__ == "__main__":
    sys.stdout.write("".join(runtime_entries(LOCK.read_text())))
