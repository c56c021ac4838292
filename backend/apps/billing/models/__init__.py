"""The tables of money. Other apps read them through selectors and change them through services."""

from apps.billing.models.audit import BillingAuditLog
from apps.billing.models.ledger import LedgerAnchor, LedgerProof, ReserveLedgerEntry
from apps.billing.models.payments import (
    AutoTopup,
    BillingDocument,
    DocumentSeries,
    PaymentAttempt,
    PaymentDispute,
    PaymentRefund,
    PaymentWatermark,
    StripeEvent,
)
from apps.billing.models.rates import RateCard, RateCardVersion, RateLineItem
from apps.billing.models.reserve import BillingProfile, ReserveAccount, ReserveHold
from apps.billing.models.usage import LossEntry, UsageEvent

__all__ = [
    "AutoTopup",
    "BillingAuditLog",
    "BillingDocument",
    "BillingProfile",
    "DocumentSeries",
    "LedgerAnchor",
    "LedgerProof",
    "LossEntry",
    "PaymentAttempt",
    "PaymentDispute",
    "PaymentRefund",
    "PaymentWatermark",
    "RateCard",
    "RateCardVersion",
    "RateLineItem",
    "ReserveAccount",
    "ReserveHold",
    "ReserveLedgerEntry",
    "StripeEvent",
    "UsageEvent",
]
