"""What a customer has in this app: read for an owner's export, and the little of it that an erasure may take."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from apps.billing.models import (
    BillingAuditLog,
    BillingProfile,
    RateCardVersion,
    ReserveAccount,
    ReserveLedgerEntry,
    UsageEvent,
)
from apps.billing.selectors import explain_event
from apps.billing.types import Charge, NoReserve
from apps.common.db import erasing
from apps.common.tenancy import TenantId

_CHUNK: Final = 500


def get_billing(*, tenant: TenantId) -> dict[str, Any]:
    """Plan, billing details and how the reserve stands. `last_seq` is the entry that the balance rests on."""
    profile = BillingProfile.objects.filter(tenant_id=tenant).first()
    account = ReserveAccount.objects.filter(tenant_id=tenant).first()
    if profile is None or account is None:
        raise NoReserve
    return {
        "plan": profile.plan,
        "billing_email": profile.billing_email,
        "stripe_customer_id": profile.stripe_customer_id,
        "currency": account.currency,
        "balance_micros": account.balance_micros,
        "held_micros": account.held_micros,
        "last_seq": account.last_seq,
        "policy": account.policy,
        "low_balance_threshold_micros": account.low_balance_threshold_micros,
    }


def iter_ledger(*, tenant: TenantId, last_seq: int) -> Iterator[dict[str, Any]]:
    """Every movement up to an entry, oldest first."""
    rows = ReserveLedgerEntry.objects.filter(tenant_id=tenant, seq__lte=last_seq).select_related("hold")
    for row in rows.order_by("seq").iterator(chunk_size=_CHUNK):
        yield {
            "id": row.id,
            "seq": row.seq,
            "kind": row.kind,
            "kind_label": row.get_kind_display(),
            "amount_micros": row.amount_micros,
            "balance_after_micros": row.balance_after_micros,
            "currency": row.currency,
            "description": row.description,
            "created_at": row.created_at,
            "job_id": row.hold.job_id if row.hold else None,
            "payment_intent_id": row.payment_intent_id,
            "refund_id": row.refund_id,
            "dispute_id": row.dispute_id,
            "hash": row.hash,
        }


def iter_usage(*, tenant: TenantId, last_seq: int) -> Iterator[dict[str, Any]]:
    """Each metered use up to a ledger entry with what its price rests on, oldest first."""
    rows = UsageEvent.objects.filter(tenant_id=tenant).exclude(settlement__seq__gt=last_seq)
    for row in rows.select_related("rate_version__card").order_by("id").iterator(chunk_size=_CHUNK):
        yield {
            "id": row.id,
            "occurred_at": row.occurred_at,
            "meter": row.meter,
            "model": row.model,
            "job_id": row.job_id,
            "call_id": row.call_id,
            "ledger_entry_id": row.settlement_id,
            "rate_card_version_id": row.rate_version_id,
            "rate_card": str(row.rate_version),
            "charges": [_show_charge(Charge.from_json(charge)) for charge in row.charges],
            "cost_micros": row.cost_micros,
            "not_charged_micros": row.excess_micros,
            "explanation": explain_event(row),
        }


def _show_charge(charge: Charge) -> dict[str, Any]:
    """Without what the house pays its provider."""
    return {
        "rate_line_id": charge.line,
        "token_class": charge.token_class.value,
        "quantity": charge.quantity,
        "unit_size": charge.unit_size,
        "price_micros": charge.price_micros,
    }


def iter_rate_cards(*, tenant: TenantId) -> Iterator[dict[str, Any]]:
    """The versions of rate cards by which the tenant's use was priced, with their lines."""
    used = UsageEvent.objects.filter(tenant_id=tenant).values("rate_version_id")
    rows = RateCardVersion.objects.filter(id__in=used).select_related("card").prefetch_related("lines")
    for version in rows.order_by("card__plan", "number"):
        yield {
            "id": version.id,
            "card": version.card.name,
            "version": version.number,
            "valid_from": version.valid_from,
            "valid_to": version.valid_to,
            "lines": [
                {
                    "id": line.id,
                    "meter": line.meter,
                    "model_pattern": line.model_pattern,
                    "token_class": line.token_class,
                    "unit_size": line.unit_size,
                    "price_micros": line.price_micros,
                    "is_free": line.is_free,
                }
                for line in sorted(version.lines.all(), key=lambda line: (line.model_pattern, line.token_class))
            ],
        }


# Amounts, plans and prices stay: they are the books.
_BLANK_AUDIT: Final = """
    UPDATE billing_billingauditlog
    SET before = before - 'billing_email', after = after - 'billing_email', address = NULL
    WHERE tenant_id = %s AND (before ? 'billing_email' OR after ? 'billing_email' OR address IS NOT NULL)
"""


@transaction.atomic
def blank_billing(*, tenant: TenantId) -> int:
    """Takes addresses from profile and audit; how many rows had any. Ledger, usage and prices are kept by law.

    So is the Stripe customer id: without it neither a refund nor a dispute nor the tax authority's question about a
    payment could be answered.
    """
    profiles = BillingProfile.objects.filter(tenant_id=tenant).exclude(billing_email="").update(billing_email="")
    with erasing(), connection.cursor() as cursor:
        cursor.execute(_BLANK_AUDIT, [tenant])
        return profiles + int(cursor.rowcount)


@transaction.atomic
def blank_acts(*, user_id: UUID) -> int:
    """Takes the network addresses from what a person did about money; how many rows had one."""
    with erasing():
        return BillingAuditLog.objects.filter(actor_id=user_id).exclude(address=None).update(address=None)
