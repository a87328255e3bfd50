"""Imports go one way: between the rooms, and inside each."""

import subprocess
import sys
from pathlib import Path

from tests.conventions.sources import ROOT

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

UPSIDE_DOWN = """
[importlinter]
root_packages =
    accounts
    association
[importlinter:contract:1]
name = the wrong way round
type = layers
layers =
    accounts
    association
"""


def lint_imports(config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache", "--config", config],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_go_one_way():
    result = lint_imports(ROOT / "pyproject.toml")

    assert result.returncode == 0, result.stdout + result.stderr


def test_the_wrong_way_is_noticed(tmp_path):
    config = tmp_path / "importlinter.ini"
    config.write_text(UPSIDE_DOWN)

    assert lint_imports(config).returncode == 1
