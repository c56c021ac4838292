"""The one door to Stripe: its answers come in as frozen values of ours, its errors as three outcomes.

Amounts are whole cents. Every call happens outside any transaction, has a deadline of its own and is never repeated by
the SDK: what an unknown outcome means is decided by those who committed their intent before (docs/decisions/0013).
"""

from apps.billing.stripe_gateway.client import Gateway, get_gateway, is_live_account, is_set_up
from apps.billing.stripe_gateway.errors import Ambiguous, BadSignature, Missing, Refused
from apps.billing.stripe_gateway.messages import read_event
from apps.billing.stripe_gateway.objects import Card, Dispute, Event, Invoice, Payment, Refund, Session, Subscription

__all__ = [
    "Ambiguous",
    "BadSignature",
    "Card",
    "Dispute",
    "Event",
    "Gateway",
    "Invoice",
    "Missing",
    "Payment",
    "Refund",
    "Refused",
    "Session",
    "Subscription",
    "get_gateway",
    "is_live_account",
    "is_set_up",
    "read_event",
]
