"""Makes the virtual environment and fills it from requirements.lock; does nothing when it is done.

Runs with the standard library alone. The stamp is written last: an install that was interrupted
has none, and is made again from nothing. Two at the same time wait for each other.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed"
LOCK = ROOT / "requirements.lock"


def main() -> None:
    """Install what is missing, or end with one sentence."""
    if Path(sys.prefix) == VENV:
        # Activated: what may have to be made anew cannot be what makes it.
        os.execv(sys._base_executable, [sys._base_executable, *sys.argv])  # noqa: S606, SLF001
    (ROOT / "var").mkdir(exist_ok=True)
    with (ROOT / "var" / "install.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not installed():
            install()


def fingerprint() -> str:
    """Return what the environment depends on: the lock, this Python, and where it stands."""
    parts = (hashlib.sha256(LOCK.read_bytes()).hexdigest(), sys.version, sys.base_prefix, str(VENV))
    return "\n".join(parts)


def installed() -> bool:
    """Return whether the environment is whole and made from the present lock."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text() == fingerprint()


def install() -> None:
    """Make the environment anew, then leave the stamp."""
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian ships venv without it
        import venv  # noqa: PLC0415
    except ImportError:
        sys.exit(
            "Python's venv module is missing: install it (Debian, Ubuntu: "
            f"apt install python3.{sys.version_info[1]}-venv), then run make again."
        )
    say(f"Installing the locked dependencies into .venv (Python {sys.version.split()[0]}) …")
    STAMP.unlink(missing_ok=True)
    venv.EnvBuilder(clear=True, with_pip=True).create(VENV)
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    done = subprocess.run([*pip, "--require-hashes", "-r", LOCK], cwd=ROOT, check=False)  # noqa: S603
    if done.returncode:
        sys.exit("The dependencies could not be installed; what pip said is above.")
    STAMP.write_text(fingerprint())


def say(text: str) -> None:
    """Tell the person what takes time."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted; run make again to begin anew.")
