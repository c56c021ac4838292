"""How often something may happen: exact counters on Valkey, shared by all processes.

A moving window: at most `amount` times within any `seconds`. One script on the server looks and counts in one step, so
requests at the same moment cannot pass together. Keys are digests: neither names nor addresses lie in Valkey.
"""

import hashlib
import ipaddress
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Final

import structlog
from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import RedisError
from redis.retry import Retry

from apps.common.errors import RateLimited, Unavailable

logger = structlog.get_logger(__name__)

# A limit must cost a request less than the request itself, also when Valkey swallows packets.
TIMEOUT_SECONDS: Final = 0.5
# After a failure, limits that fail open do not ask again for so long: a dead Valkey slows down one request, not each.
_PAUSE_SECONDS: Final = 1.0
_WARNING_INTERVAL_SECONDS: Final = 60.0
_MINUTE: Final = 60
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` times in any `seconds` for each key.

    `fail_closed` says what happens while Valkey is away: True refuses with Unavailable (guessing must never be free),
    False lets everything pass.
    """

    name: str
    amount: int
    seconds: int
    fail_closed: bool


class _Outage:
    """What this process remembers of a Valkey that does not answer."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """As if nothing had failed yet."""
        self.failed_at = -math.inf
        self.warned_at = -math.inf

    def is_recent(self) -> bool:
        return time.monotonic() - self.failed_at < _PAUSE_SECONDS

    def note(self, *, limit: Limit, error: RedisError) -> None:
        """One warning a minute: the log of an outage must not be an outage of the log."""
        self.failed_at = time.monotonic()
        if self.failed_at - self.warned_at < _WARNING_INTERVAL_SECONDS:
            return
        self.warned_at = self.failed_at
        logger.warning("rate_limits_unavailable", limit=limit.name, kind=type(error).__name__)


outage: Final = _Outage()


@cache
def limiter_to(url: str, prefix: str) -> MovingWindowRateLimiter:
    """The counters of this process; connections are made on first use."""
    storage = RedisStorage(
        url,
        key_prefix=prefix,
        socket_connect_timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        # A pooled connection may have died since; a server that does not answer is not asked twice.
        retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,)),  # type: ignore[arg-type]
    )
    return MovingWindowRateLimiter(storage)


def _current() -> MovingWindowRateLimiter:
    return limiter_to(settings.REDIS_URL, settings.RATE_LIMIT_PREFIX)


def _item(limit: Limit) -> RateLimitItem:
    amount, seconds = settings.RATE_LIMITS.get(limit.name, (limit.amount, limit.seconds))
    return RateLimitItemPerSecond(amount, seconds, namespace=limit.name)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def check(*, limit: Limit, key: str) -> None:
    """Counts one more for the key; raises RateLimited, or Unavailable when a limit that fails closed cannot count."""
    wait = _take(limit, key)
    if wait is not None:
        raise RateLimited(_say(wait), retry_after=wait)


def is_within(*, limit: Limit, key: str) -> bool:
    """The same as an answer, for callers who must not say that there is a limit. Raises Unavailable."""
    return _take(limit, key) is None


def give_back(*, limit: Limit, key: str) -> None:
    """Takes back one `check`: what was counted turned out not to be of the kind that the limit is for."""
    limiter, item = _current(), _item(limit)
    storage = limiter.storage
    try:
        # Entries are moments and nothing else, so the newest stands for whichever was ours.
        storage.get_connection().lpop(storage.prefixed_key(item.key_for(_digest(key))))  # type: ignore[attr-defined]
    except RedisError as error:
        outage.note(limit=limit, error=error)


@contextmanager
def counting(*, limit: Limit, key: str, failures: tuple[type[Exception], ...]) -> Iterator[None]:
    """Counts the block only when it ends with one of `failures`: a wrong password, say.

    The place is taken before the block runs, so that guesses at the same moment cannot all be the last allowed one.
    """
    check(limit=limit, key=key)
    try:
        yield
    except failures:
        raise
    except BaseException:
        give_back(limit=limit, key=key)
        raise
    give_back(limit=limit, key=key)


def _take(limit: Limit, key: str) -> int | None:
    """None when there was room; otherwise the seconds until there will be."""
    if outage.is_recent() and not limit.fail_closed:
        return None
    limiter, item, digest = _current(), _item(limit), _digest(key)
    try:
        if limiter.hit(item, digest):
            return None
        reset_at = limiter.get_window_stats(item, digest).reset_time
    except RedisError as error:
        outage.note(limit=limit, error=error)
        if limit.fail_closed:
            raise Unavailable from error
        return None
    return max(1, math.ceil(reset_at - time.time()))


def _say(seconds: int) -> str:
    if seconds < _MINUTE:
        wait = "1 second" if seconds == 1 else f"{seconds} seconds"
    elif seconds < _HOUR:
        minutes = math.ceil(seconds / _MINUTE)
        wait = "1 minute" if minutes == 1 else f"{minutes} minutes"
    else:
        hours = math.ceil(seconds / _HOUR)
        wait = "1 hour" if hours == 1 else f"{hours} hours"
    return f"Too many attempts. Please try again in {wait}."


def network_of(address: str | None) -> str:
    """What limits by address count by: an IPv4 address, or the /64 that one person has to themselves in IPv6."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed.packed[:8] + bytes(8), 64)))
    return str(parsed)
