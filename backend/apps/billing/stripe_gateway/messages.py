"""Stripe's messages to our webhook: the signature over the raw bytes first, then everything else."""

import json
from typing import Any, Final

import stripe
from django.conf import settings

from apps.billing.stripe_gateway.errors import BadSignature
from apps.billing.stripe_gateway.objects import Event

# How old a signature may be, in seconds. Stripe signs each retry anew.
TOLERANCE_SECONDS: Final = 300


def read_event(body: bytes, signature: str) -> Event:
    """The message, if one of our secrets signed it. Raises BadSignature, also for what is signed but no event."""
    if not any(_is_signed(body, signature, secret) for secret in settings.STRIPE_WEBHOOK_SECRETS):
        raise BadSignature
    try:
        return _read(_without_nul(json.loads(body)))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BadSignature from error


def _is_signed(body: bytes, signature: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS)
    except (stripe.SignatureVerificationError, ValueError, TypeError, OverflowError):
        # The SDK lets bodies that are no UTF-8, and headers that are no ASCII, fail as they like.
        return False
    return True


def _read(raw: Any) -> Event:
    subject = raw["data"]["object"]
    event = Event(
        id=raw["id"],
        type=raw["type"],
        livemode=raw["livemode"],
        object_id=subject.get("id") or "",
        payload=raw,
    )
    texts = (event.id, event.type, event.object_id)
    if not event.id or not isinstance(event.livemode, bool) or not all(isinstance(text, str) for text in texts):
        raise TypeError("This is no event.")
    if len(event.id) > 255 or len(event.type) > 100 or len(event.object_id) > 255:
        raise ValueError("These are no ids of Stripe.")
    return event


def _without_nul(value: Any) -> Any:
    """PostgreSQL stores no NUL, and JSON may hold one."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(item) for name, item in value.items()}
    return value
