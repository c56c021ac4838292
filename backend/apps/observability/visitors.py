"""Who is at the other end: the person's own address, behind proxies of ours and behind the frontend.

Two things may stand between. Proxies of ours append to `X-Forwarded-For`: with TRUSTED_PROXY_COUNT of them, the entry
that the outermost wrote is that many from the right, and everything left of it is the client's own invention. And the
frontend calls on behalf of people: it names them in `X-Client-Address` and `X-Client-User-Agent`, and signs both.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from django.conf import settings

logger = structlog.get_logger(__name__)

_FRESH_MINUTES: Final = 2
_MAX_SIGNATURE_LENGTH: Final = 100


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whom a request comes from. None for an address that nobody can tell."""

    address: str | None
    user_agent: str


def find_visitor(meta: Mapping[str, Any], *, request_id: str, now: datetime) -> Visitor:
    """The person behind the request; falls back to the next connection whenever what stands in a header is no good."""
    return _read_vouched(meta, request_id=request_id, now=now) or Visitor(
        address=_find_forwarded(meta) or read_address(meta.get("REMOTE_ADDR")),
        user_agent=meta.get("HTTP_USER_AGENT", ""),
    )


def read_address(text: str | None) -> str | None:
    """The address in its one spelling, or None for what is none. IPv4 in IPv6's clothes is IPv4."""
    try:
        parsed = ipaddress.ip_address((text or "").strip())
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.scope_id is not None:
            return None
        return str(parsed.ipv4_mapped or parsed)
    return str(parsed)


def _find_forwarded(meta: Mapping[str, Any]) -> str | None:
    count = settings.TRUSTED_PROXY_COUNT
    if not count:
        return None
    hops = str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    return read_address(hops[-count]) if len(hops) >= count else None


def sign(*, secret: str, minute: int, request_id: str, address: str, user_agent: str) -> str:
    """What the frontend writes into `X-Client-Signature`: the unix minute and an HMAC-SHA256 over all of it."""
    message = "\n".join((str(minute), request_id, address, user_agent))
    digest = hmac.new(secret.encode(), message.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
    return f"{minute}.{digest}"


def _read_vouched(meta: Mapping[str, Any], *, request_id: str, now: datetime) -> Visitor | None:
    claimed = meta.get("HTTP_X_CLIENT_ADDRESS")
    if claimed is None:
        return None
    user_agent = meta.get("HTTP_X_CLIENT_USER_AGENT", "")
    signature = str(meta.get("HTTP_X_CLIENT_SIGNATURE", ""))[:_MAX_SIGNATURE_LENGTH]
    problem = _find_problem(signature, claimed, user_agent, request_id=request_id, now=now)
    address = read_address(claimed)
    if problem is None and address is None:
        problem = "no_address"
    if problem is not None:
        logger.warning("client_address_not_believed", problem=problem)
        return None
    return Visitor(address=address, user_agent=user_agent)


def _find_problem(signature: str, claimed: str, user_agent: str, *, request_id: str, now: datetime) -> str | None:
    secret: str = settings.INTERNAL_API_SECRET
    if not secret:
        return "no_secret"
    minute, _, _ = signature.partition(".")
    if not (minute.isascii() and minute.isdigit()):
        return "malformed"
    good = sign(
        secret=secret, minute=int(minute), request_id=request_id, address=str(claimed), user_agent=str(user_agent)
    )
    if not hmac.compare_digest(good.encode(), signature.encode("utf-8", "surrogateescape")):
        return "wrong_signature"
    if abs(int(now.timestamp()) // 60 - int(minute)) > _FRESH_MINUTES:
        return "stale"
    return None
