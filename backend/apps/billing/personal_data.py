"""What a customer has in this app: read for an owner's export, and the little of it that an erasure may take."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from apps.billing.models import (
    AutoTopup,
    BillingAuditLog,
    BillingDocument,
    BillingProfile,
    PaymentAttempt,
    PaymentDispute,
    PaymentRefund,
    RateCardVersion,
    ReserveAccount,
    ReserveLedgerEntry,
    UsageEvent,
)
from apps.billing.render import render_pdf
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
        "billing_name": profile.billing_name,
        "billing_address": profile.billing_address,
        "tax_id": profile.tax_id,
        "stripe_customer_id": profile.stripe_customer_id,
        "subscription": {
            "id": profile.stripe_subscription_id,
            "status": profile.subscription_status,
            "period_start": profile.period_start,
            "period_end": profile.period_end,
            "cancels_at_period_end": profile.cancels_at_period_end,
        },
        "saved_card": {
            "brand": profile.card_brand,
            "last4": profile.card_last4,
            "exp_month": profile.card_exp_month,
            "exp_year": profile.card_exp_year,
        },
        "automatic_topup": _get_auto_topup(tenant),
        "currency": account.currency,
        "balance_micros": account.balance_micros,
        "held_micros": account.held_micros,
        "last_seq": account.last_seq,
        "policy": account.policy,
        "low_balance_threshold_micros": account.low_balance_threshold_micros,
    }


def _get_auto_topup(tenant: TenantId) -> dict[str, Any] | None:
    columns = (
        *("is_on", "threshold_micros", "amount_micros", "monthly_cap_micros"),
        *("state", "declines", "last_decline_code", "cooling_until"),
    )
    found = AutoTopup.objects.filter(tenant_id=tenant).first()
    return None if found is None else {name: getattr(found, name) for name in columns}


def iter_payments(*, tenant: TenantId) -> Iterator[dict[str, Any]]:
    """Every payment, oldest first, also those that came to nothing."""
    rows = PaymentAttempt.objects.filter(tenant_id=tenant).order_by("id").iterator(chunk_size=_CHUNK)
    for row in rows:
        yield {
            "id": row.id,
            "kind": row.kind,
            "state": row.state,
            "amount_micros": row.amount_micros,
            "currency": row.currency,
            "payment_intent_id": row.stripe_payment_intent_id,
            "card_brand": row.card_brand,
            "card_last4": row.card_last4,
            "failure_code": row.failure_code,
            "failure_message": row.failure_message,
            "asked_by": row.asked_by_id,
            "created_at": row.created_at,
            "closed_at": row.closed_at,
        }


def iter_refunds(*, tenant: TenantId) -> Iterator[dict[str, Any]]:
    """Every refund, oldest first. What staff noted about it is theirs."""
    for row in PaymentRefund.objects.filter(tenant_id=tenant).order_by("id").iterator(chunk_size=_CHUNK):
        yield {
            "id": row.id,
            "payment_id": row.attempt_id,
            "refund_id": row.stripe_refund_id,
            "state": row.state,
            "amount_micros": row.amount_micros,
            "created_at": row.created_at,
        }


def iter_disputes(*, tenant: TenantId) -> Iterator[dict[str, Any]]:
    """Every dispute, oldest first."""
    for row in PaymentDispute.objects.filter(tenant_id=tenant).order_by("id").iterator(chunk_size=_CHUNK):
        yield {
            "id": row.id,
            "payment_id": row.attempt_id,
            "dispute_id": row.stripe_dispute_id,
            "state": row.state,
            "reason": row.reason,
            "amount_micros": row.amount_micros,
            "created_at": row.created_at,
        }


def list_documents(*, tenant: TenantId) -> list[UUID]:
    """Receipts, credit notes and invoices, oldest first."""
    return [*BillingDocument.objects.filter(tenant_id=tenant).order_by("id").values_list("id", flat=True)]


def iter_documents(*, tenant: TenantId) -> Iterator[dict[str, Any]]:
    """What stands on each of them."""
    for row in BillingDocument.objects.filter(tenant_id=tenant).order_by("id").iterator(chunk_size=_CHUNK):
        yield {
            "id": row.id,
            "kind": row.kind,
            "number": str(row),
            "amount_micros": row.amount_micros,
            "currency": row.currency,
            "issued_at": row.issued_at,
            "content": row.content,
        }


def get_pdf(*, tenant: TenantId, document_id: UUID) -> tuple[str, bytes]:
    """The number of a document, and its page as the product gives it."""
    document = BillingDocument.objects.get(tenant_id=tenant, pk=document_id)
    return str(document), render_pdf(document=document)


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


# What of a profile is about people. Amounts, plans and prices stay: they are the books.
_DETAILS: Final = ("billing_email", "billing_name", "billing_address", "tax_id")
_CARD: Final = ("payment_method_id", "card_brand", "card_last4", "card_fingerprint")
_BLANK_AUDIT: Final = """
    UPDATE billing_billingauditlog
    SET before = before - %(names)s::text[], after = after - %(names)s::text[], address = NULL
    WHERE tenant_id = %(tenant)s AND (before ?| %(names)s::text[] OR after ?| %(names)s::text[] OR address IS NOT NULL)
"""
# Who it was for and the digits of the card. What was sold, for how much and when is on it for ever, as is its number.
_BLANK_DOCUMENTS: Final = """
    UPDATE billing_billingdocument SET content = content - '{customer,method}'::text[]
    WHERE tenant_id = %(tenant)s AND content ?| '{customer,method}'::text[]
"""


@transaction.atomic
def blank_billing(*, tenant: TenantId) -> int:
    """Takes names, addresses and cards from profile, payments, documents and audit; how many rows had any.

    Ledger, usage, prices, and numbers and amounts of documents are kept by law. So are the ids at Stripe: without them
    neither a refund nor a dispute nor the tax authority's question about a payment could be answered.
    """
    profile = dict.fromkeys((*_DETAILS, *_CARD), "") | {"card_exp_month": None, "card_exp_year": None}
    some = Q(*[~Q(**{name: ""}) for name in (*_DETAILS, *_CARD)], _connector=Q.OR)
    rows = BillingProfile.objects.filter(some, tenant_id=tenant).update(**profile)
    paid = PaymentAttempt.objects.filter(tenant_id=tenant).exclude(card_last4="", card_fingerprint="", checkout_url="")
    rows += paid.update(card_brand="", card_last4="", card_fingerprint="", checkout_url="")
    rows += PaymentRefund.objects.filter(tenant_id=tenant).exclude(reason="").update(reason="")
    AutoTopup.objects.filter(tenant_id=tenant).update(is_on=False, failed_fingerprint="")
    with erasing(), connection.cursor() as cursor:
        for statement in (_BLANK_AUDIT, _BLANK_DOCUMENTS):
            cursor.execute(statement, {"tenant": tenant, "names": [*_DETAILS]})
            rows += int(cursor.rowcount)
    return rows


@transaction.atomic
def blank_acts(*, user_id: UUID) -> int:
    """Takes the network addresses from what a person did about money; how many rows had one."""
    with erasing():
        return BillingAuditLog.objects.filter(actor_id=user_id).exclude(address=None).update(address=None)
