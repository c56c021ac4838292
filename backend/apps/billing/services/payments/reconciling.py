"""The daily reconciliation: what Stripe lists is booked, whatever became of its messages."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog

from apps.billing import stripe_gateway as gateway
from apps.billing.models import BillingProfile, PaymentAttempt, PaymentDispute, PaymentWatermark
from apps.billing.payment_types import DisputeState, PaymentState
from apps.billing.services.payments import disputes, looking, refunds, subscriptions
from apps.billing.services.payments.handlers import take_back
from apps.common.clock import Clock
from apps.common.tenancy import SystemScope, system_scope

_log = structlog.get_logger(__name__)

# How far back each list is read beyond what was read before: as long as an object may still change after it was made.
OVERLAPS: Final = {
    "payments": timedelta(days=15),
    "refunds": timedelta(days=35),
    "disputes": timedelta(days=100),
    "invoices": timedelta(days=15),
}
# Where the first reconciliation begins.
FIRST_SPAN: Final = timedelta(days=365)
# Disputes whose money may still move.
_UNSETTLED: Final = (DisputeState.OPENED, DisputeState.WITHDRAWN, DisputeState.LOST)


@dataclass(slots=True)
class ReconcileResult:
    """How many objects were looked at, by kind; and of which something did not fit, for people to look at."""

    at: datetime
    seen: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def is_ok(self) -> bool:
        return not self.problems


@system_scope(SystemScope.SWEEPER)
def reconcile(*, clock: Clock) -> ReconcileResult:
    """Takes in everything that Stripe lists since the last time, by the same ways as its messages.

    Not in a transaction. One object that does not fit is logged and counted, and looked at again next time. Raises
    PaymentsNotSetUp, and PaymentUnavailable when Stripe is away: what was read until then is booked, and the next round
    begins where this one did.
    """
    stripe = gateway.get_gateway()
    result = ReconcileResult(at=clock())
    lists: dict[str, tuple[Callable[..., Iterable[Any]], Callable[[Any], object]]] = {
        "payments": (stripe.iter_payments, partial(_take_payment, clock=clock)),
        "refunds": (stripe.iter_refunds, partial(_take_refund, clock=clock)),
        "disputes": (stripe.iter_disputes, partial(_take_dispute, clock=clock)),
        "invoices": (stripe.iter_invoices, partial(_take_invoice, clock=clock)),
    }
    for kind, (iterate, take) in lists.items():
        started = clock()
        _take_each(result, kind, iterate(since=_read_since(kind, now=started)), take)
        _note_watermark(kind, read_until=started, now=clock())
    _take_each(result, "open disputes", _list_open_disputes(), partial(_take_dispute_by_id, clock=clock))
    _take_each(result, "subscribers", _list_subscribers(), partial(_take_subscriber, clock=clock))
    log = _log.info if result.is_ok else _log.error
    log("stripe.reconciled", seen=result.seen, problems=result.problems)
    return result


def _take_each(result: ReconcileResult, kind: str, found: Iterable[Any], take: Callable[[Any], object]) -> None:
    result.seen[kind] = 0
    for value in found:
        result.seen[kind] += 1
        try:
            take(value)
        except gateway.Ambiguous:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one, the next is another customer's
            name = getattr(value, "id", value)
            _log.exception("stripe.not_reconciled", kind=kind, id=str(name))
            result.problems.append(f"{kind} {name}: {type(error).__name__}: {error}"[:300])


def _take_payment(payment: gateway.Payment, *, clock: Clock) -> None:
    is_booked = PaymentAttempt.objects.filter(stripe_payment_intent_id=payment.id, state=PaymentState.SUCCEEDED)
    if not is_booked.exists():
        looking.take_payment(payment=payment, now=clock())


def _take_refund(refund: gateway.Refund, *, clock: Clock) -> None:
    take = partial(refunds.take_refund, refund=refund, now=clock())
    take_back(payment_id=refund.payment_intent_id, take=take, clock=clock)


def _take_dispute(dispute: gateway.Dispute, *, clock: Clock) -> None:
    take = partial(disputes.take_dispute, dispute=dispute, now=clock())
    take_back(payment_id=dispute.payment_intent_id, take=take, clock=clock)


def _take_dispute_by_id(dispute_id: str, *, clock: Clock) -> None:
    _take_dispute(gateway.get_gateway().get_dispute(dispute_id), clock=clock)


def _take_invoice(invoice: gateway.Invoice, *, clock: Clock) -> None:
    if invoice.status == "paid":
        subscriptions.take_paid_invoice(invoice=invoice, now=clock())


def _take_subscriber(customer_id: str, *, clock: Clock) -> None:
    subscriptions.refresh_subscription(customer_id=customer_id, clock=clock)


def _list_open_disputes() -> list[str]:
    rows = PaymentDispute.objects.filter(state__in=_UNSETTLED).order_by("id")
    return list(rows.values_list("stripe_dispute_id", flat=True))


def _list_subscribers() -> list[str]:
    rows = BillingProfile.objects.filter(stripe_customer_id__isnull=False).order_by("id")
    return [customer_id for customer_id in rows.values_list("stripe_customer_id", flat=True) if customer_id]


def _read_since(kind: str, *, now: datetime) -> datetime:
    watermark = PaymentWatermark.objects.filter(kind=kind).first()
    return watermark.read_until - OVERLAPS[kind] if watermark else now - FIRST_SPAN


def _note_watermark(kind: str, *, read_until: datetime, now: datetime) -> None:
    PaymentWatermark.objects.update_or_create(kind=kind, defaults={"read_until": read_until, "updated_at": now})
