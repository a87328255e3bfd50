"""Imports go one way: between the packages, and inside each."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conventions.sources import PACKAGES, ROOT

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


def lint_imports(config: Path, checkout: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache", "--config", config],
        cwd=checkout,
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


@pytest.fixture
def copy(tmp_path):
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.slow
def test_copy_is_as_good_as_the_checkout(copy):
    assert lint_imports(copy / "pyproject.toml", copy).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("package", ["accounts", "partners", "association", "integration"])
def test_module_without_a_layer_is_noticed(copy, package):
    (copy / package / "stray.py").write_text('"""A module without a place."""\n')

    result = lint_imports(copy / "pyproject.toml", copy)

    assert result.returncode == 1
    assert f"{package}.stray" in result.stdout
