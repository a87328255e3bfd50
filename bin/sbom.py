"""Write var/sbom.json: the libraries that run in production, from requirements.lock (CycloneDX)."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
# A line of the lock with its hashes, up to the next library.
ENTRY = re.compile(r"^([a-z0-9][a-z0-9._-]*)==.*?(?=^[a-z0-9]|\Z)", re.MULTILINE | re.DOTALL)


def main() -> None:
    """List the libraries, with the hashes that are installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    used = needed_by([Requirement(line) for line in project["dependencies"]])
    lock = (ROOT / "requirements.lock").read_text()
    entries = [entry[0] for entry in ENTRY.finditer(lock) if canonicalize_name(entry[1]) in used]
    target = ROOT / "var" / "sbom.json"
    target.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "-", "--output-reproducible"]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), "--output-file", str(target)]
    subprocess.run(command, input="".join(entries), text=True, check=True)  # noqa: S603
    sys.stdout.write(f"{target.relative_to(ROOT)}: {len(entries)} libraries\n")


def needed_by(requirements: list[Requirement]) -> set[str]:
    """Return the names of these libraries and of all that they need here, extras included."""
    names: set[str] = set()
    waiting = [(requirement.name, frozenset(requirement.extras)) for requirement in requirements]
    seen = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        names.add(canonicalize_name(name))
        for line in requires(name) or []:
            needed = Requirement(line)
            chosen = [{"extra": extra} for extra in ("", *extras)]
            if needed.marker is None or any(needed.marker.evaluate(one) for one in chosen):
                waiting.append((needed.name, frozenset(needed.extras)))
    return names


if __name__ == "__main__":
    main()
