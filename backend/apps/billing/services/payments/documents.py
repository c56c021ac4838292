"""Receipts, credit notes and invoices: numbered without gaps, and frozen as they were issued."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from django.conf import settings

from apps.billing.models import BillingDocument, BillingProfile, DocumentSeries, PaymentAttempt, PaymentRefund
from apps.billing.payment_types import SERIES_OF_DOCUMENT, DocumentKind
from apps.billing.types import PlanTier
from apps.common.db import require_transaction
from apps.common.money import CURRENCY, cents_to_micros
from apps.common.tenancy import TenantId


class PaidInvoice(Protocol):
    """What is needed of an invoice of the payment service. Amounts are whole cents."""

    @property
    def id(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def subscription_id(self) -> str: ...
    @property
    def amount_paid_cents(self) -> int: ...
    @property
    def lines(self) -> Sequence[tuple[str, int]]: ...
    @property
    def period_start(self) -> datetime | None: ...
    @property
    def period_end(self) -> datetime | None: ...
    @property
    def paid_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    kind: DocumentKind
    subject: str
    amount_micros: int
    paid_at: datetime
    about: str
    lines: Sequence[tuple[str, int]]
    method: str
    # Labels with what they name: ids by which people at either side find the payment again.
    references: Sequence[tuple[str, str]]


def issue_receipt(*, attempt: PaymentAttempt, now: datetime) -> BillingDocument:
    """The receipt of a succeeded payment, issued once. For the transaction that books it, under its account's lock."""
    subject = _require_id(attempt.stripe_payment_intent_id)
    draft = _Draft(
        kind=DocumentKind.RECEIPT,
        subject=subject,
        amount_micros=attempt.amount_micros,
        paid_at=now,
        about=(
            f"Prepaid credit: an advance payment that {settings.SELLER_NAME} has added in full to your reserve."
            " It is spent as you use the service, at the prices in force at the time."
        ),
        lines=[("Prepaid credit", attempt.amount_micros)],
        method=name_card(brand=attempt.card_brand, last4=attempt.card_last4),
        references=[("Payment", subject)],
    )
    return _issue(tenant=TenantId(attempt.tenant_id), draft=draft, now=now)


def issue_credit_note(*, refund: PaymentRefund, now: datetime) -> BillingDocument:
    """The credit note of a refund, issued once. For the transaction that books it, under its account's lock."""
    attempt = refund.attempt
    subject, payment = _require_id(refund.stripe_refund_id), attempt.stripe_payment_intent_id or ""
    receipt = BillingDocument.objects.filter(kind=DocumentKind.RECEIPT, subject=payment).first()
    references = [("Refund", subject), ("Payment", payment)]
    draft = _Draft(
        kind=DocumentKind.CREDIT_NOTE,
        subject=subject,
        amount_micros=refund.amount_micros,
        paid_at=now,
        about="Prepaid credit taken back from your reserve and refunded to the card that paid it.",
        lines=[("Refund of prepaid credit", refund.amount_micros)],
        method=name_card(brand=attempt.card_brand, last4=attempt.card_last4),
        references=references if receipt is None else [("Receipt", str(receipt)), *references],
    )
    return _issue(tenant=TenantId(refund.tenant_id), draft=draft, now=now)


def issue_invoice(*, tenant: TenantId, invoice: PaidInvoice, now: datetime) -> BillingDocument:
    """Our invoice for a paid invoice of the plan's subscription, issued once. For a transaction of the caller's."""
    references = [("Invoice of the payment service", invoice.number), ("Subscription", invoice.subscription_id)]
    draft = _Draft(
        kind=DocumentKind.INVOICE,
        subject=invoice.id,
        amount_micros=cents_to_micros(invoice.amount_paid_cents),
        paid_at=invoice.paid_at or now,
        about=_name_period(invoice),
        lines=[(text, cents_to_micros(cents)) for text, cents in invoice.lines],
        method="",
        references=[(label, text) for label, text in references if text],
    )
    return _issue(tenant=tenant, draft=draft, now=now)


def name_card(*, brand: str, last4: str) -> str:
    """A card as people know it, such as `Visa ending in 4242`; empty when there is none."""
    if not last4:
        return ""
    known: Final = {"amex": "American Express", "jcb": "JCB", "unionpay": "UnionPay", "diners": "Diners Club"}
    return f"{known.get(brand, brand.replace('_', ' ').title()) or 'Card'} ending in {last4}"


def _name_period(invoice: PaidInvoice) -> str:
    if invoice.period_start is None or invoice.period_end is None:
        return f"Subscription to {settings.SELLER_NAME}."
    return f"Subscription to {settings.SELLER_NAME}, {invoice.period_start:%Y-%m-%d} to {invoice.period_end:%Y-%m-%d}."


def _require_id(stripe_id: str | None) -> str:
    if not stripe_id:
        raise ValueError("A document is about something that the payment service knows by an id.")
    return stripe_id


def _issue(*, tenant: TenantId, draft: _Draft, now: datetime) -> BillingDocument:
    """The row, or the one that this subject already has. The series' row is locked last, after any account."""
    require_transaction()
    if (known := _find(draft)) is not None:
        return known
    series = _lock_series(SERIES_OF_DOCUMENT[draft.kind])
    # Whoever held the lock before us may have issued the very same.
    if (known := _find(draft)) is not None:
        return known
    series.last_number += 1
    series.save(update_fields=["last_number"])
    return BillingDocument.objects.create(
        tenant_id=tenant,
        kind=draft.kind,
        series=series.prefix,
        number=series.last_number,
        subject=draft.subject,
        amount_micros=draft.amount_micros,
        currency=CURRENCY,
        content=_describe(tenant, draft),
        issued_at=now,
    )


def _find(draft: _Draft) -> BillingDocument | None:
    return BillingDocument.objects.filter(kind=draft.kind, subject=draft.subject).first()


def _lock_series(prefix: str) -> DocumentSeries:
    rows = DocumentSeries.objects.select_for_update()
    found = rows.filter(prefix=prefix).first()
    if found is None:
        DocumentSeries.objects.bulk_create([DocumentSeries(prefix=prefix)], ignore_conflicts=True)
        found = rows.get(prefix=prefix)
    return found


def _describe(tenant: TenantId, draft: _Draft) -> Mapping[str, Any]:
    """All that the page shows, as it stands today."""
    profile = BillingProfile.objects.select_related("tenant").get(tenant_id=tenant)
    return {
        "seller": {
            "name": settings.SELLER_NAME,
            "address": settings.SELLER_ADDRESS,
            "tax_id": settings.SELLER_TAX_ID,
        },
        "customer": {
            "name": profile.billing_name or profile.tenant.name,
            "address": profile.billing_address,
            "tax_id": profile.tax_id,
            "email": profile.billing_email,
        },
        "plan": PlanTier(profile.plan).label,
        "about": draft.about,
        "lines": [{"text": text, "amount_micros": amount} for text, amount in draft.lines],
        "paid_at": draft.paid_at.isoformat(),
        "method": draft.method,
        "references": [{"label": label, "text": text} for label, text in draft.references],
    }
