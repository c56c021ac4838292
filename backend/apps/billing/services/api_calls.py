"""Counting calls with personal tokens: in Valkey as they come, metered by the hour.

A count lies in a hash of its hour until its tenants are metered, and each tenant's count goes away only after its
event is committed. A flush that dies in between is repeated: the event's key is the hour, so nothing is charged twice.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import RedisError
from redis.retry import Retry

from apps.billing.services.metering import record_use
from apps.billing.types import IdempotencyMismatch, Meter
from apps.common.errors import DomainError
from apps.common.limits import API_TOKEN
from apps.common.rate_limits import TIMEOUT_SECONDS, outage
from apps.common.tenancy import TenantId, tenant_scope

_log = structlog.get_logger(__name__)

_HOUR: Final = timedelta(hours=1)
# An hour is taken up only when no call of it can still be on its way to be counted.
SETTLED_AFTER: Final = timedelta(minutes=5)
# Counts that no flush ever came for: longer than any outage of the duty, so that Valkey is not filled for ever.
_KEPT: Final = timedelta(days=60)


def count_call(*, tenant: TenantId, now: datetime) -> None:
    """One more call of the tenant in this hour. A call that cannot be counted is served all the same, and free."""
    if outage.is_recent():
        return
    name = _name(now)
    try:
        with _connect(settings.REDIS_URL).pipeline(transaction=False) as pipe:
            pipe.hincrby(name, str(tenant), 1)
            pipe.expire(name, _KEPT)
            pipe.execute()
    except RedisError as error:
        outage.note(limit=API_TOKEN, error=error)


def flush_calls(*, now: datetime) -> int:
    """Meters every hour that is over, each tenant in its own scope; returns how many counts were taken.

    A tenant whose reserve is busy keeps its count for the next round. Raises RedisError.
    """
    valkey = _connect(settings.REDIS_URL)
    current = _name(now - SETTLED_AFTER)
    taken = 0
    for raw in valkey.scan_iter(match=f"{settings.USAGE_COUNT_PREFIX}:calls:*"):
        name = raw.decode()
        # ISO hours sort as they follow each other.
        if name >= current:
            continue
        counts: Any = valkey.hgetall(name)
        for field, count in sorted(counts.items()):
            if _meter_hour(tenant=TenantId(UUID(field.decode())), name=name, count=int(count), now=now):
                valkey.hdel(name, field)
                taken += 1
    return taken


def _meter_hour(*, tenant: TenantId, name: str, count: int, now: datetime) -> bool:
    hour = name.rpartition(":calls:")[2]
    started_at = datetime.fromisoformat(f"{hour}:00:00").replace(tzinfo=UTC)
    try:
        with tenant_scope(tenant):
            record_use(tenant=tenant, meter=Meter.API_CALLS, quantity=count, occurred_at=started_at, key=hour, now=now)
    except IdempotencyMismatch:
        # Calls of an hour that was metered already: Valkey was put back to an older state, say.
        _log.warning("api_calls.counted_late", tenant=str(tenant), hour=hour, calls=count)
    except DomainError:
        _log.warning("api_calls.not_metered", tenant=str(tenant), hour=hour, calls=count, exc_info=True)
        return False
    return True


def _name(at: datetime) -> str:
    return f"{settings.USAGE_COUNT_PREFIX}:calls:{at.astimezone(UTC):%Y-%m-%dT%H}"


@cache
def _connect(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_connect_timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,)),
    )
