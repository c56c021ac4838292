"""What we send: each wish with the id of our row in its metadata, so that its outcome can be looked for."""

from typing import Any
from uuid import UUID

from django.conf import settings

from apps.common.money import CURRENCY

_CURRENCY = CURRENCY.lower()


def build_topup_session(
    *, attempt_id: UUID, customer_id: str, amount_cents: int, saves_card: bool, success_url: str, cancel_url: str
) -> dict[str, Any]:
    """A page on which exactly this amount is paid: taxes, if any, are within it."""
    metadata = {"attempt": str(attempt_id)}
    price: dict[str, Any] = {
        "currency": _CURRENCY,
        "unit_amount": amount_cents,
        "product_data": {"name": "Reserve top-up"},
    }
    intent: dict[str, Any] = {"metadata": metadata, "description": "Reserve top-up"}
    if saves_card:
        intent["setup_future_usage"] = "off_session"
    params: dict[str, Any] = {
        "mode": "payment",
        "customer": customer_id,
        "client_reference_id": str(attempt_id),
        "line_items": [{"quantity": 1, "price_data": price}],
        "metadata": metadata,
        "payment_intent_data": intent,
        "success_url": success_url,
        "cancel_url": cancel_url,
    }
    if settings.STRIPE_AUTOMATIC_TAX:
        price["tax_behavior"] = "inclusive"
        params |= {"automatic_tax": {"enabled": True}, "customer_update": {"address": "auto"}}
    return params


def build_subscription_session(*, customer_id: str, price_id: str, success_url: str, cancel_url: str) -> dict[str, Any]:
    params: dict[str, Any] = {
        "mode": "subscription",
        "customer": customer_id,
        "line_items": [{"quantity": 1, "price": price_id}],
        "success_url": success_url,
        "cancel_url": cancel_url,
    }
    if settings.STRIPE_AUTOMATIC_TAX:
        params |= {"automatic_tax": {"enabled": True}, "customer_update": {"address": "auto"}}
    return params


def build_charge(*, attempt_id: UUID, customer_id: str, payment_method_id: str, amount_cents: int) -> dict[str, Any]:
    """A charge of a saved card without anybody there to answer a question of the bank."""
    return {
        "amount": amount_cents,
        "currency": _CURRENCY,
        "customer": customer_id,
        "payment_method": payment_method_id,
        "payment_method_types": ["card"],
        "off_session": True,
        "confirm": True,
        "description": "Automatic top-up of the reserve",
        "metadata": {"attempt": str(attempt_id)},
        "expand": ["payment_method"],
    }
