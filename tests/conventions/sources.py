"""Where the project's own files are, and how the conventions read them."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES: list[str] = PROJECT["tool"]["setuptools"]["packages"]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(*packages: str) -> list[Path]:
    """Return the Python files of the packages, without migrations."""
    found = (path for package in packages or PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)


def templates(*, emails: bool = True) -> list[Path]:
    """Return the templates, or only those of pages."""
    folders = (ROOT / "templates", ROOT / "demo" / "templates")
    found = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if emails or "emails" not in path.parts)


def name(path: Path) -> str:
    """Return how a failure should name the file."""
    return str(path.relative_to(ROOT))


def functions(source: str) -> Iterator[Function]:
    """Return every function and method of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            yield node
