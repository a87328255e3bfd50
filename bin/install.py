"""Makes the virtual environment and installs requirements.lock; does nothing when that is done.

Uses the standard library only. The stamp is written last, so that an interrupted install has none
and starts again from an empty directory. Two installs at the same time wait for each other.
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
    if Path(sys.prefix) == VENV:
        # The environment is active, and cannot replace itself: use the Python outside it.
        os.execv(sys._base_executable, [sys._base_executable, *sys.argv])  # noqa: S606, SLF001
    (ROOT / "var").mkdir(exist_ok=True)
    with (ROOT / "var" / "install.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not is_installed():
            install()


def fingerprint() -> str:
    parts = (hashlib.sha256(LOCK.read_bytes()).hexdigest(), sys.version, sys.base_prefix, str(VENV))
    return "\n".join(parts)


def is_installed() -> bool:
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text() == fingerprint()


def install() -> None:
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian ships venv without it
        import venv  # noqa: PLC0415
    except ImportError:
        sys.exit(
            "Python's venv module is missing: install it (Debian, Ubuntu: "
            f"apt install python3.{sys.version_info[1]}-venv), then run make again."
        )
    version = sys.version.split()[0]
    sys.stdout.write(f"Installing the locked dependencies into .venv (Python {version}) …\n")
    sys.stdout.flush()
    STAMP.unlink(missing_ok=True)
    venv.EnvBuilder(clear=True, with_pip=True).create(VENV)
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    done = subprocess.run([*pip, "--require-hashes", "-r", LOCK], cwd=ROOT, check=False)  # noqa: S603
    if done.returncode:
        sys.exit("The dependencies could not be installed; pip's message is above.")
    STAMP.write_text(fingerprint())


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted; run make again to start over.")
