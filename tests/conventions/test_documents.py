"""What the documents refer to exists: files, headings, modules, decisions."""

import re
import runpy
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.conventions.sources import PACKAGES, ROOT

LONGEST_README = 100
DECISIONS = ROOT / "docs" / "decisions"

CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)|\bsrc=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FOLDERS = (
    *PACKAGES,
    "templates",
    "static",
    "tests",
    "docs",
    "benchmarks",
    "examples",
    "bin",
    ".ci",
)
# A path in one of our folders, or a file of the root. `/join/<attempt>/done` is a URL.
OWN_PATH = re.compile(
    rf"(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./-]*|[\w.-]+\.(?:md|toml|lock|yaml)"
)


def documents() -> list[Path]:
    return [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        ROOT / "SECURITY.md",
        ROOT / "benchmarks" / "README.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings, as code hosts make them."""
    headings = HEADING.findall(CODE_BLOCK.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(document: Path) -> list[str]:
    """Return the relative links of a document that lead to no file, or to no heading in it."""
    text = CODE.sub("", CODE_BLOCK.sub("", document.read_text()))
    links = [link or picture for link, picture in LINK.findall(text)]
    return [link for link in links if "://" not in link and not leads_somewhere(document, link)]


def leads_somewhere(document: Path, link: str) -> bool:
    path, _, anchor = unquote(link).partition("#")
    target = document.parent / path if path else document
    if not target.exists():
        return False
    return not anchor or anchor in anchors(target.read_text())


def missing_paths(document: Path) -> list[str]:
    """Return the paths in backticks that look like ours and do not exist."""
    paths = filter(OWN_PATH.fullmatch, CODE.findall(CODE_BLOCK.sub("", document.read_text())))
    beside = (ROOT, document.parent)
    return [path for path in paths if not any((folder / path).exists() for folder in beside)]


def by_document(find) -> dict[str, list[str]]:
    found = {str(document.relative_to(ROOT)): find(document) for document in documents()}
    return {document: problems for document, problems in found.items() if problems}


def test_links_lead_to_files_and_headings():
    assert by_document(broken_links) == {}


def test_paths_in_backticks_exist():
    assert by_document(missing_paths) == {}


@pytest.mark.parametrize(
    ("text", "find", "found"),
    [
        ("[a](missing.md)", broken_links, ["missing.md"]),
        ("[a](#missing)", broken_links, ["#missing"]),
        ("[a](target.md#missing)", broken_links, ["target.md#missing"]),
        ('<img src="missing.png">', broken_links, ["missing.png"]),
        ("[a](target.md#what-it-is) [b](#here)\n# Here\n`[c](x.md)`", broken_links, []),
        ("`web/missing.py`", missing_paths, ["web/missing.py"]),
        ("`missing.md` `web/`", missing_paths, ["missing.md"]),
        ("`target.md` `web/refused.py` `/web/<page>`", missing_paths, []),
    ],
)
def test_what_is_missing_is_found(tmp_path, text, find, found):
    (tmp_path / "target.md").write_text("## What it *is*\n```\n# missing\n```\n")
    document = tmp_path / "document.md"
    document.write_text(text)

    assert find(document) == found


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= LONGEST_README


def test_every_decision_is_in_the_index_and_numbered():
    records = sorted(path.name for path in DECISIONS.glob("*.md") if path.name != "README.md")
    index = (DECISIONS / "README.md").read_text()

    assert [link for link, _ in LINK.findall(index)] == records
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))


def test_every_decision_has_its_three_parts():
    parts = {
        path.name: re.findall(r"^## (\w+)$", path.read_text(), re.MULTILINE)
        for path in DECISIONS.glob("0*.md")
    }

    assert {tuple(found) for found in parts.values()} == {("Context", "Decision", "Consequences")}


def test_list_of_modules_is_the_present_one():
    page = runpy.run_path(str(ROOT / "bin" / "list_modules.py"))["page"]
    assert (ROOT / "docs" / "modules.md").read_text() == page(), "run `make modules`"
