"""Runs the commands of the Dockerfile in a fresh folder, with an environment of its own.

The public base image cannot be fetched everywhere; all that we add to it can be tried without it.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_CONTINUED = re.compile(r"\s*\\\n\s*")
_COMMENT = re.compile(r"^\s*#.*\n", re.MULTILINE)
# What only a container has.
_IGNORED = {"FROM", "USER", "EXPOSE", "WORKDIR"}
# How pip finds the package index here.
_KEPT = ("HOME", "PIP_INDEX_URL", "PIP_CONFIG_FILE", "PIP_CERT", "SSL_CERT_FILE", "HTTPS_PROXY")


def instructions(text: str) -> list[tuple[str, str]]:
    lines = _CONTINUED.sub(" ", _COMMENT.sub("", text)).splitlines()
    parts = [line.partition(" ") for line in lines if line.strip()]
    return [(name, rest.strip()) for name, _blank, rest in parts]


class Image:
    """What the Dockerfile makes: `/app` and `/venv` of the image are folders of `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.app = folder / "app"
        self.app.mkdir()
        programs = folder / "programs"
        programs.mkdir()
        (programs / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self.environment = {**kept, "PATH": f"{programs}:/usr/bin:/bin", "LANG": "C.UTF-8"}
        self.command: list[str] = []
        self.health_command: list[str] = []

    def build(self, dockerfile: str) -> None:
        for name, rest in instructions(dockerfile):
            if name not in _IGNORED:
                getattr(self, name.lower())(self.placed(rest))

    def placed(self, text: str) -> str:
        return re.sub(r"(?<![\w./-])/(app|venv)\b", rf"{self.folder}/\1", text)

    def copy(self, rest: str) -> None:
        *sources, target = rest.split()
        if sources[0].startswith("--from="):
            # The stages share the folders.
            return
        for source in sources:
            self.copy_one(ROOT / source, self.app / target)

    def copy_one(self, source: Path, target: Path) -> None:
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(source, target, ignore=ignored)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)

    def run(self, rest: str) -> None:
        # The lock is made for any Python that the product supports.
        subprocess.run(["/bin/sh", "-c", rest], cwd=self.app, env=self.environment, check=True)  # noqa: S603

    def env(self, rest: str) -> None:
        for word in shlex.split(rest):
            name, _, value = word.partition("=")
            self.environment[name] = value.replace("$PATH", self.environment["PATH"])

    def cmd(self, rest: str) -> None:
        self.command = json.loads(rest)

    def healthcheck(self, rest: str) -> None:
        self.health_command = json.loads(rest.partition("CMD ")[2])

    def files(self) -> set[Path]:
        return set(self.folder.rglob("*"))
