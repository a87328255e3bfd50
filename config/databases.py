"""The settings DATABASES and CACHES, from the environment."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from config.logs import refuse_to_start
from web import redis_connections

POOLERS = ("", "pgbouncer")
# PostgreSQL's, in the order of `statement_limits()`.
STATEMENT_LIMITS = [
    "lock_timeout",
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "client_connection_check_interval",
]
# A writer waits at the first statement of its transaction instead of failing in the middle. Without
# recursive triggers REPLACE would delete evidence (`audit/evidence.py`): it would run none of them.
SQLITE = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA recursive_triggers=ON;"
    ),
}
# A database that is away is noticed within seconds.
POSTGRESQL = {
    "connect_timeout": 2,
    "tcp_user_timeout": 3000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
# psycopg prepares what it has run more often than this, and what asks for it: `fetch_prepared()`.
NEVER_BY_ITSELF = 2**31
# A cache that hangs is given up after a second, without a retry. A closed connection, for example
# after the cache restarted, is retried once at once.
REDIS = {
    "socket_connect_timeout": 1,
    "socket_timeout": 1,
    "retry": Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
}


def database_settings(env: Env, sqlite: Path) -> dict[str, Any]:
    database: dict[str, Any] = env.db_url("DATABASE_URL", default=f"sqlite:///{sqlite}")
    engine = database.get("ENGINE", "")
    if not engine:
        refuse_to_start(
            "DATABASE_URL is not an address of a database, such as postgres://user@host/name."
        )
    if engine.endswith("sqlite3"):
        return {**database, "OPTIONS": SQLITE}
    database |= {"CONN_HEALTH_CHECKS": True, "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60)}
    if engine.endswith("postgresql"):
        _complete_postgresql(database, env)
    return database


def _complete_postgresql(database: dict[str, Any], env: Env) -> None:
    database["ENGINE"] = "web.postgresql"
    options = database["OPTIONS"] = {**POSTGRESQL, **database.get("OPTIONS", {})}
    # config/gunicorn.conf.py sets it for pages; commands such as migrate have no limit.
    statement_ms = env.int("DATABASE_STATEMENT_TIMEOUT_MS", default=0)
    if statement_ms > 0:
        # What an answer streams is outside of its request's limit.
        database["LONGEST_WAIT"] = statement_ms / 1000 + 1
    if database_pooler(env):
        # The pooler gives each transaction another connection, and rejects start-up options: the
        # limits are the role's, see docs/deployment.md.
        database["DISABLE_SERVER_SIDE_CURSORS"] = True
        return
    options["prepare_threshold"] = NEVER_BY_ITSELF
    given = [f"-c {name}={ms}" for name, ms in statement_limits(statement_ms).items()]
    if given:
        options["options"] = " ".join([*given, options.get("options", "")]).strip()


def database_pooler(env: Env) -> str:
    pooler: str = env.str("DATABASE_POOLER", default="")
    if pooler not in POOLERS:
        refuse_to_start(
            f"DATABASE_POOLER={pooler} is not known: leave it empty, or name pgbouncer."
        )
    return pooler


def statement_limits(statement_ms: int) -> dict[str, int]:
    """Return PostgreSQL's limits in milliseconds, none for 0.

    A lock is waited for longer than `deadlock_timeout`, one second: PostgreSQL looks for a deadlock
    only after that. A connection that the client has closed ends its transaction at the next look.
    """
    if statement_ms <= 0:
        return {}
    milliseconds = (statement_ms * 3 // 4, statement_ms, statement_ms * 3, 500)
    return dict(zip(STATEMENT_LIMITS, milliseconds, strict=True))


def cache_settings(env: Env) -> dict[str, Any]:
    try:
        cache: dict[str, Any] = env.cache_url("CACHE_URL", default="dbcache://cache")
    except ImproperlyConfigured:
        refuse_to_start("CACHE_URL is not an address of a cache, such as redis://127.0.0.1:6379.")
    options = cache.get("OPTIONS", {})
    if cache["BACKEND"].endswith("DatabaseCache"):
        # Rate limits are stored here: with Django's 300 entries an attack would push them out.
        cache["OPTIONS"] = {"MAX_ENTRIES": 100_000, **options}
    if cache["BACKEND"].endswith("RedisCache"):
        cache["BACKEND"] = "web.redis_cache.RedisCache"
        servers = cache["LOCATION"]
        scheme = urlsplit(servers if isinstance(servers, str) else servers[0]).scheme
        cache["OPTIONS"] = {
            **REDIS,
            "connection_class": redis_connections.KINDS[scheme],
            "serializer": "web.redis_cache.ForgivingSerializer",
            **options,
        }
    return cache
