"""Whether what the service needs is there. Each probe has its own short deadline, and a stuck one blocks no other."""

import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as DeadlineExceeded
from typing import Final

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from redis import Redis

from apps.artifacts.storage import check_storage
from apps.common.roles import find_role_problems

logger = structlog.get_logger(__name__)

DEADLINE_SECONDS: Final = 2.0


class NotReady(Exception):
    """A probe got an answer, but not a good one."""


def check_database() -> None:
    """One round trip to PostgreSQL."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def check_migrations() -> None:
    """Every migration of this version is applied."""
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise NotReady("There are migrations to apply.")
    finally:
        connection.close()


def check_isolation() -> None:
    """The database shows each customer their own rows: the role is bound by row-level security, on every table."""
    try:
        if settings.REFUSE_POWERFUL_ROLE and (problems := find_role_problems()):
            raise NotReady(problems[0])
    finally:
        connection.close()


def check_cache() -> None:
    """A value written to the cache can be read back."""
    key, value = f"probe:{secrets.token_hex(4)}", secrets.token_hex(4)
    cache.set(key, value, timeout=10)
    if cache.get(key) != value:
        raise NotReady("The cache lost a value.")


def check_broker() -> None:
    """The broker answers a ping."""
    with Redis.from_url(
        settings.CELERY_BROKER_URL,
        socket_connect_timeout=DEADLINE_SECONDS,
        socket_timeout=DEADLINE_SECONDS,
    ) as client:
        client.ping()


PROBES: Final[Mapping[str, Callable[[], None]]] = {
    "database": check_database,
    "cache": check_cache,
    "broker": check_broker,
    "storage": check_storage,
    "migrations": check_migrations,
    "isolation": check_isolation,
}

# As many threads as probes: when one hangs, the next round waits for it and reports that, and threads never pile up.
_threads: Final = ThreadPoolExecutor(max_workers=len(PROBES), thread_name_prefix="probe")


def run_probes(*, probes: Mapping[str, Callable[[], None]] = PROBES) -> dict[str, str]:
    """ "ok", "failed" or "timeout" for each probe. Causes go to the log only: the answer is open to everybody."""
    futures = {name: _threads.submit(probe) for name, probe in probes.items()}
    results: dict[str, str] = {}
    for name, future in futures.items():
        try:
            future.result(timeout=DEADLINE_SECONDS)
            results[name] = "ok"
        except DeadlineExceeded:
            future.cancel()
            results[name] = "timeout"
        except Exception as error:  # noqa: BLE001 - whatever a client library raises, the answer is the same
            logger.warning("probe_failed", probe=name, kind=type(error).__name__, cause=str(error))
            results[name] = "failed"
    return results
