"""Prints docs/modules.md: every module of the packages with the sentence that says what is inside.

Uses the standard library only. A test compares the file with what this prints.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    *("config", "demo", "integration", "association", "partners", "accounts", "outbox"),
    *("audit", "web"),
)
HEADING = """# What is in each module

The first sentence of every module, by package, from the highest layer to the lowest. `make modules`
writes this page; [architecture](architecture.md) says where new code goes.
"""


def page() -> str:
    """Return the page."""
    return HEADING + "".join(_section(package) for package in PACKAGES)


def _section(package: str) -> str:
    modules = [path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts]
    lines = [
        f"- `{path.relative_to(ROOT)}` – {sentence}"
        for path in sorted(modules)
        if (sentence := _first_sentence(path))
    ]
    return "\n".join([f"\n## {package}\n", *lines, ""])


def _first_sentence(path: Path) -> str:
    """Return the first sentence of the module's docstring; "" for an empty module."""
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(docstring.partition("\n\n")[0].split())


if __name__ == "__main__":
    sys.stdout.write(page())
