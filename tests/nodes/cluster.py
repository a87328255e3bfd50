"""Two nodes on this machine: nginx, PgBouncer, Redis, two gunicorns, two workers, a mail server.

Needs nginx, pgbouncer, redis-server and openssl, and the PostgreSQL server of DATABASE_URL. Nginx
has the configuration of `examples/nginx.conf`, with other ports.
"""

import json
import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import psycopg

from tests.outbox.mail_server import MailServer, free_port

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("nginx", "pgbouncer", "redis-server", "openssl")
HOST = "127.0.0.1"


def missing_programs() -> list[str]:
    return [name for name in PROGRAMS if find_program(name) is None]


def find_program(name: str) -> str | None:
    # Debian has the servers where only root looks.
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


def wait_until(is_true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    last_moment = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > last_moment:
            raise TimeoutError(what)
        time.sleep(0.05)


class Node:
    """One gunicorn, and its log."""

    def __init__(self, cluster: "Cluster", number: int) -> None:
        self.cluster, self.number = cluster, number
        self.port, self.metrics_port = free_port(), free_port()
        self.log = cluster.folder / f"node{number}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        gunicorn = ["-m", "gunicorn", "-c", "config/gunicorn.conf.py", "config.wsgi"]
        own = {"PORT": str(self.port), "METRICS_PORT": str(self.metrics_port)}
        self.process = self.cluster.start([sys.executable, *gunicorn], self.log, **own)

    def wait_until_ready(self) -> None:
        wait_until(lambda: self.status("/readyz") == 200, f"node {self.number} is not ready")

    def status(self, path: str) -> int:
        """Return the status of a page, asked of this node itself, or 0 without an answer."""
        try:
            with urlopen(f"http://{HOST}:{self.port}{path}", timeout=10) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code
        except OSError:
            return 0

    def stop(self) -> int:
        """Stop it as an operator does, and return its exit code."""
        if self.process is None:
            return 0
        self.process.terminate()
        return self.process.wait(60)

    def restart(self) -> None:
        self.stop()
        self.start()
        self.wait_until_ready()

    def metrics(self) -> str:
        with urlopen(f"http://{HOST}:{self.metrics_port}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of the log that are JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line[:1] == "{"]


class Cluster:
    """The programs, their ports, and where their logs are."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder, self.database_url = folder, database_url
        self.https, self.http = free_port(), free_port()
        self.bouncer, self.redis = free_port(), free_port()
        self.base_url = f"https://{HOST}:{self.https}"
        self.mail_server = MailServer()
        self.certificate = folder / "certificate.pem"
        self.proxy_log = folder / "proxy.log"
        self.environment: dict[str, str] = {}
        self.nodes = [Node(self, 1), Node(self, 2)]
        self._running: list[subprocess.Popen[bytes]] = []

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))

    def start(self, command: Sequence[str], log: Path, **own: str) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own programs
                command,
                cwd=ROOT,
                env={**self.environment, **own},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._running.append(process)
        return process

    def stop_all(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.terminate()
        for process in self._running:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def manage(self, *arguments: str) -> str:
        """Run a command of the product and return what it prints."""
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment | {"LOG_LEVEL": "ERROR"},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


@contextmanager
def idle_cluster(folder: Path, server: dict[str, Any]) -> Iterator[Cluster]:
    """Yield a cluster that has a database and static files; end whatever is started in it."""
    with ExitStack() as stack:
        folder.chmod(0o755)
        database = stack.enter_context(new_database(server))
        cluster = Cluster(folder, database)
        stack.callback(cluster.stop_all)
        cluster.environment = environment_of(cluster)
        # Error pages need the static files too.
        cluster.manage("collectstatic", "--no-input")
        yield cluster


@contextmanager
def running_cluster(folder: Path, server: dict[str, Any]) -> Iterator[Cluster]:
    """Start everything with a database of its own."""
    with idle_cluster(folder, server) as cluster, cluster.mail_server.running():
        start_redis(cluster)
        start_bouncer(cluster)
        cluster.manage("migrate")
        for node in cluster.nodes:
            node.start()
        for number in (1, 2):
            start_worker(cluster, number)
        for node in cluster.nodes:
            node.wait_until_ready()
        start_nginx(cluster)
        yield cluster


def start_worker(cluster: Cluster, number: int) -> subprocess.Popen[bytes]:
    log = cluster.folder / f"worker{number}.log"
    return cluster.start([sys.executable, "manage.py", "worker"], log)


@contextmanager
def new_database(server: dict[str, Any]) -> Iterator[str]:
    """Make a database in which statements are limited, as those of a pooled role must be."""
    user, password = quote(server["USER"] or "postgres"), quote(server["PASSWORD"] or "")
    login = f"{user}:{password}" if password else user
    base = f"postgres://{login}@{server['HOST'] or HOST}:{server['PORT'] or 5432}"
    name = f"nodes_{os.getpid()}"
    with psycopg.connect(f"{base}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        for limit, value in {"statement_timeout": "5s", "lock_timeout": "2500ms"}.items():
            admin.execute(f"ALTER DATABASE \"{name}\" SET {limit} = '{value}'")
        try:
            yield f"{base}/{name}"
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def environment_of(cluster: Cluster) -> dict[str, str]:
    """Return what both nodes and both workers share."""
    name = cluster.database_url.rpartition("/")[2]
    mail = cluster.mail_server
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "DEMO": "1",
        "SECRET_KEY": "key-of-two-nodes-0123456789-0123456789-0123456789",
        "PUBLIC_BASE_URL": cluster.base_url,
        "TRUSTED_PROXIES": HOST,
        "DATABASE_URL": f"postgres://any@{HOST}:{cluster.bouncer}/{name}",
        "DATABASE_POOLER": "pgbouncer",
        "CACHE_URL": f"redis://{HOST}:{cluster.redis}",
        "EMAIL_URL": f"smtp://{mail.host}:{mail.port}",
        "LOG_FORMAT": "json",
        "WEB_WORKERS": "2",
        "WEB_GRACEFUL_TIMEOUT": "20",
        "MALLOC_MMAP_THRESHOLD_": "1048576",
    }


def program(name: str) -> str:
    found = find_program(name)
    if found is None:
        raise FileNotFoundError(name)
    return found


def start_redis(cluster: Cluster) -> None:
    options = f"--bind {HOST} --port {cluster.redis} --appendonly no --dir {cluster.folder} --save"
    command = [program("redis-server"), *options.split(), ""]
    cluster.start(command, cluster.folder / "redis.log")


def start_bouncer(cluster: Cluster) -> None:
    file = cluster.folder / "pgbouncer.ini"
    name = cluster.database_url.rpartition("/")[2]
    with psycopg.connect(cluster.database_url) as login:
        target = login.info
        place = f"host={target.host} port={target.port} user={target.user} dbname={name}"
        password = f" password={target.password}" if target.password else ""
    file.write_text(
        f"[databases]\n{name} = {place}{password}\n"
        f"[pgbouncer]\nlisten_addr = {HOST}\nlisten_port = {cluster.bouncer}\nauth_type = any\n"
        "unix_socket_dir =\npool_mode = transaction\nmax_client_conn = 200\n"
        "default_pool_size = 10\n"
    )
    # It refuses to run as root.
    identity = ["-u", "nobody"] if os.geteuid() == 0 else []
    file.chmod(0o644)
    command = [program("pgbouncer"), *identity, str(file)]
    cluster.start(command, cluster.folder / "pgbouncer.log")


def start_nginx(cluster: Cluster) -> None:
    make_certificate(cluster)
    site = (ROOT / "examples" / "nginx.conf").read_text()
    first, second = cluster.nodes
    for example, here in {
        "web1:8000": f"{HOST}:{first.port}",
        "web2:8000": f"{HOST}:{second.port}",
        "listen 80;": f"listen {HOST}:{cluster.http};",
        "listen 443 ssl;": f"listen {HOST}:{cluster.https} ssl;",
        "https://join.example.com": cluster.base_url,
        "server_name join.example.com": f"server_name {HOST}",
        "/etc/nginx/tls/": f"{cluster.folder}/",
        "/var/log/nginx/access.log": str(cluster.proxy_log),
        "/var/log/nginx/error.log": str(cluster.folder / "nginx-error.log"),
    }.items():
        if example not in site:
            raise ValueError(f"examples/nginx.conf has no {example!r} any more")
        site = site.replace(example, here)
    (cluster.folder / "site.conf").write_text(site)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {cluster.folder}/{kind};\n" for kind in kinds)
    main = cluster.folder / "nginx.conf"
    main.write_text(
        f"{'user root;' if os.geteuid() == 0 else ''}\nworker_processes 1;\ndaemon off;\n"
        f"pid {cluster.folder}/nginx.pid;\nevents {{}}\n"
        f"http {{\n{folders}include {cluster.folder}/site.conf;\n}}\n"
    )
    command = [program("nginx"), "-c", str(main), "-e", str(cluster.folder / "nginx-start.log")]
    cluster.start(command, cluster.folder / "nginx.log")
    wait_until(lambda: proxy_answers(cluster), "nginx does not answer")


def proxy_answers(cluster: Cluster) -> bool:
    url, trust = f"{cluster.base_url}/livez", cluster.trust()
    with suppress(OSError), urlopen(url, timeout=5, context=trust) as answer:  # noqa: S310
        return bool(answer.status == 200)
    return False


def make_certificate(cluster: Cluster) -> None:
    key = cluster.folder / "key.pem"
    options = f"req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {cluster.certificate}"
    subject = ["-subj", "/CN=two nodes", "-addext", f"subjectAltName=IP:{HOST}"]
    subprocess.run(  # noqa: S603 - openssl
        [program("openssl"), *options.split(), *subject], check=True, capture_output=True
    )
