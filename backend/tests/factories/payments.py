"""Open checkouts and documents for tests, without a payment service."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.billing.models import BillingDocument, PaymentAttempt, PaymentRefund
from apps.billing.payment_types import PaymentKind, PaymentState
from apps.billing.services.payments.documents import issue_credit_note, issue_receipt
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from tests.factories.billing import NOW, get_account, make_payment


def make_checkout(
    tenant: TenantId, *, cents: int = 2500, asked_by: UUID | None = None, now: datetime = NOW
) -> PaymentAttempt:
    """A payment whose page is open."""
    attempt_id = uuid7()
    return PaymentAttempt.objects.create(
        id=attempt_id,
        tenant_id=tenant,
        account=get_account(tenant),
        kind=PaymentKind.CHECKOUT,
        state=PaymentState.OPEN,
        amount_micros=cents * 10_000,
        request_key=str(attempt_id),
        stripe_session_id=f"cs_{attempt_id.hex}",
        checkout_url=f"https://checkout.stripe.com/c/pay/{attempt_id.hex}",
        asked_by_id=asked_by,
        created_at=now,
        updated_at=now,
    )


def make_card_payment(tenant: TenantId, *, cents: int = 2500, now: datetime = NOW) -> PaymentAttempt:
    """A top-up that was paid by a card."""
    payment = make_payment(tenant, cents * 10_000, now=now)
    payment.card_brand, payment.card_last4 = "visa", "4242"
    payment.save()
    return payment


@transaction.atomic
def make_receipt(tenant: TenantId, *, cents: int = 2500, now: datetime = NOW) -> BillingDocument:
    """The receipt of a payment of its own."""
    return issue_receipt(attempt=make_card_payment(tenant, cents=cents, now=now), now=now)


@transaction.atomic
def make_credit_note(refund: PaymentRefund, *, now: datetime = NOW) -> BillingDocument:
    """The credit note of a refund."""
    return issue_credit_note(refund=refund, now=now)
