"""What each kind of Stripe's messages is about. A message only names an object: what is true says Stripe when asked."""

from collections.abc import Callable, Mapping
from typing import Final

from apps.billing import stripe_gateway as gateway
from apps.billing.models import PaymentAttempt
from apps.billing.payment_types import Suspicious, UnknownPayment
from apps.billing.services.payments import customers, disputes, looking, refunds, subscriptions
from apps.common.clock import Clock

Handler = Callable[[str, Clock], None]


def find_handler(event_type: str) -> Handler | None:
    """What to do about the object of a message of this type; None when it is of no interest."""
    return _HANDLERS.get(event_type)


def _handle_session(session_id: str, clock: Clock) -> None:
    session = gateway.get_gateway().get_session(session_id)
    if session.mode == "subscription":
        subscriptions.refresh_subscription(customer_id=session.customer_id, clock=clock)
        return
    attempt = PaymentAttempt.objects.filter(stripe_session_id=session_id).first()
    if attempt is None and session.attempt_id is not None:
        # Paid before we had noted the page. Whether it is really ours is decided by looking for the attempt's own page.
        attempt = PaymentAttempt.objects.filter(pk=session.attempt_id, stripe_session_id__isnull=True).first()
    if attempt is None:
        raise Suspicious(f"Checkout session {session_id} is none of ours.")
    looking.look_at_attempt(attempt_id=attempt.id, now=clock())


def _handle_payment(payment_id: str, clock: Clock) -> None:
    looking.take_payment(payment=gateway.get_gateway().get_payment(payment_id), now=clock())


def _handle_charge(charge_id: str, clock: Clock) -> None:
    stripe = gateway.get_gateway()
    payment_id = stripe.get_charged_payment_id(charge_id)
    for refund in stripe.list_refunds(payment_id) if payment_id else []:
        _take_refund(refund, clock)


def _handle_refund(refund_id: str, clock: Clock) -> None:
    _take_refund(gateway.get_gateway().get_refund(refund_id), clock)


def _take_refund(refund: gateway.Refund, clock: Clock) -> None:
    take_back(
        payment_id=refund.payment_intent_id, take=lambda: refunds.take_refund(refund=refund, now=clock()), clock=clock
    )


def _handle_dispute(dispute_id: str, clock: Clock) -> None:
    dispute = gateway.get_gateway().get_dispute(dispute_id)
    take_back(
        payment_id=dispute.payment_intent_id,
        take=lambda: disputes.take_dispute(dispute=dispute, now=clock()),
        clock=clock,
    )


def take_back(*, payment_id: str, take: Callable[[], object], clock: Clock) -> None:
    """Books money that went back; if its payment is not known yet, that comes first.

    Money that goes back for an invoice of a subscription never was in a reserve. Raises what `take` and the payment
    raise.
    """
    if not payment_id:
        raise Suspicious("Money went back that was for no payment.")
    try:
        take()
    except UnknownPayment:
        stripe = gateway.get_gateway()
        if stripe.pays_invoice(payment_id):
            return
        looking.take_payment(payment=stripe.get_payment(payment_id), now=clock())
        take()


def _handle_subscription(subscription_id: str, clock: Clock) -> None:
    subscription = gateway.get_gateway().get_subscription(subscription_id)
    subscriptions.refresh_subscription(customer_id=subscription.customer_id, clock=clock)


def _handle_invoice(invoice_id: str, clock: Clock) -> None:
    subscriptions.take_invoice(invoice=gateway.get_gateway().get_invoice(invoice_id), clock=clock)


def _handle_detached_card(payment_method_id: str, clock: Clock) -> None:
    customers.take_detached_card(payment_method_id=payment_method_id, now=clock())


def _handle_customer(customer_id: str, clock: Clock) -> None:
    customers.take_saved_card(customer_id=customer_id, now=clock())


_HANDLERS: Final[Mapping[str, Handler]] = {
    "checkout.session.completed": _handle_session,
    "checkout.session.async_payment_succeeded": _handle_session,
    "checkout.session.async_payment_failed": _handle_session,
    "checkout.session.expired": _handle_session,
    "payment_intent.succeeded": _handle_payment,
    "payment_intent.payment_failed": _handle_payment,
    "payment_intent.canceled": _handle_payment,
    "charge.refunded": _handle_charge,
    "refund.created": _handle_refund,
    "refund.updated": _handle_refund,
    "refund.failed": _handle_refund,
    "charge.dispute.created": _handle_dispute,
    "charge.dispute.updated": _handle_dispute,
    "charge.dispute.funds_withdrawn": _handle_dispute,
    "charge.dispute.funds_reinstated": _handle_dispute,
    "charge.dispute.closed": _handle_dispute,
    "customer.subscription.created": _handle_subscription,
    "customer.subscription.updated": _handle_subscription,
    "customer.subscription.deleted": _handle_subscription,
    "invoice.paid": _handle_invoice,
    "invoice.payment_failed": _handle_invoice,
    "payment_method.detached": _handle_detached_card,
    "customer.updated": _handle_customer,
}
