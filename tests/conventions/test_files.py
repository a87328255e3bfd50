"""What the lock and the tracked files never name: hosts of packages, this machine, its folders."""

import re
import socket
import subprocess
from pathlib import Path

import pytest

from tests.conventions.sources import ROOT

HOST = re.compile(r"://|--(?:extra-)?index-url|--find-links|--trusted-host|^-[if] ", re.MULTILINE)


def own_files() -> list[Path]:
    """Return the files that the checkout tracks."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout: which files are the project's is not known")
    paths = (ROOT / path for path in listed.stdout.split("\0") if path)
    return [path for path in paths if path.is_file()]


def machine_words() -> set[str]:
    words = {f"{ROOT}/", f"{Path.home()}/"}
    host = socket.gethostname()
    return words if host == "localhost" else {*words, host}


def names(path: Path, words: set[str]) -> bool:
    """Return whether the file has one of the words; binary files have short ones by chance."""
    content = path.read_bytes()
    looked_for = {word for word in words if "/" in word} if b"\0" in content else words
    return any(word.encode() in content for word in looked_for)


def test_the_lock_names_no_host():
    lock = (ROOT / "requirements.lock").read_text()

    assert HOST.findall(lock) == []
    assert lock.count("--hash=sha256:") > 0


@pytest.mark.parametrize("line", ["--index-url x", "a @ https://host/a.whl", "-i x"])
def test_a_host_in_the_lock_is_noticed(line):
    assert HOST.search(line)


def test_no_file_names_this_machine():
    words = machine_words()

    naming = [str(path.relative_to(ROOT)) for path in own_files() if names(path, words)]

    assert naming == []


def test_a_picture_names_a_folder_but_not_by_chance_a_host(tmp_path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\0 somehost /home/someone/ \0")

    assert names(picture, {"/home/someone/"})
    assert not names(picture, {"somehost"})
