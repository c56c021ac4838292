"""The plan follows the subscription at Stripe; its paid invoices become documents of ours."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from django.db import transaction

from apps.billing import stripe_gateway as gateway
from apps.billing.models import BillingProfile
from apps.billing.payment_types import AlreadySubscribed, PaymentUnavailable, Suspicious
from apps.billing.services.audit import record_change
from apps.billing.services.payments.customers import introduce_customer
from apps.billing.services.payments.documents import issue_invoice
from apps.billing.services.profiles import check_can_edit_billing
from apps.billing.types import PlanTier
from apps.common.clock import Clock
from apps.common.errors import Invalid
from apps.common.money import CURRENCY
from apps.common.tenancy import TenantId
from apps.mail.links import frontend_link
from apps.tenants.types import Actor

_log = structlog.get_logger(__name__)

# Plans that can be subscribed to, by the lookup keys of their prices. Enterprise is by agreement.
LOOKUP_KEYS: Final = {
    PlanTier.STARTER: "afterresume_starter_monthly",
    PlanTier.PROFESSIONAL: "afterresume_professional_monthly",
}
_PLANS: Final = {key: plan for plan, key in LOOKUP_KEYS.items()}
# What Stripe calls a subscription that gives its plan, also while an overdue invoice is tried again.
RUNNING: Final = ("active", "trialing", "past_due")
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class SubscriptionStarted:
    session_id: str
    checkout_url: str


def start_subscription(*, actor: Actor, plan: PlanTier, request_key: str, now: datetime) -> SubscriptionStarted:
    """Opens Stripe's page for a plan. Owners only; not in a transaction.

    Raises Forbidden, Invalid, AlreadySubscribed, NoReserve, PaymentsNotSetUp, PaymentUnavailable.
    """
    check_can_edit_billing(actor)
    if plan not in LOOKUP_KEYS:
        raise Invalid(fields={"plan": ["This plan cannot be subscribed to here."]})
    stripe = gateway.get_gateway()
    customer_id = introduce_customer(tenant=actor.tenant, now=now)
    if _choose(stripe.iter_subscriptions(customer_id=customer_id)) is not None:
        raise AlreadySubscribed
    page = frontend_link("billing", "settings")
    try:
        session = stripe.create_subscription_session(
            customer_id=customer_id,
            lookup_key=LOOKUP_KEYS[plan],
            success_url=page,
            cancel_url=page,
            key=f"subscription:{actor.tenant}:{request_key}",
        )
    except (gateway.Refused, gateway.Missing) as refused:
        _log.exception("stripe.subscription_refused", plan=plan.value)
        raise PaymentUnavailable from refused
    return SubscriptionStarted(session_id=session.id, checkout_url=session.url)


def refresh_subscription(*, customer_id: str, clock: Clock) -> None:
    """Brings plan and period in line with what Stripe says of all the customer's subscriptions. Calls Stripe.

    Messages about them come in any order, so none is believed: what runs, or ended last, is asked for anew, and written
    only if nobody else has written meanwhile. Raises Suspicious for a customer who is none of ours.
    """
    for _ in range(_TRIES):
        profile = BillingProfile.objects.filter(stripe_customer_id=customer_id).first()
        if profile is None:
            raise Suspicious(f"Customer {customer_id} is none of ours.")
        running = _choose(gateway.get_gateway().iter_subscriptions(customer_id=customer_id))
        if _write(profile, running, now=clock()):
            return
    raise gateway.Ambiguous


def _choose(found: Iterable[gateway.Subscription]) -> gateway.Subscription | None:
    running = [subscription for subscription in found if subscription.status in RUNNING]
    return max(running, key=lambda subscription: (subscription.created_at, subscription.id), default=None)


@transaction.atomic
def _write(read: BillingProfile, running: gateway.Subscription | None, *, now: datetime) -> bool:
    profile = BillingProfile.objects.select_for_update().get(pk=read.pk)
    if profile.updated_at != read.updated_at:
        return False
    wanted = _describe(profile, running)
    before = {name: getattr(profile, name) for name in wanted}
    if before == wanted:
        return True
    for name, value in wanted.items():
        setattr(profile, name, value)
    profile.updated_at = now
    profile.save(update_fields=[*wanted, "updated_at"])
    if before["plan"] != wanted["plan"]:
        record_change(
            tenant=TenantId(profile.tenant_id),
            actor=None,
            action="billing.plan_changed",
            target_kind="billing_profile",
            target_id=profile.id,
            before={"plan": before["plan"]},
            after={"plan": wanted["plan"]},
            reason="As the subscription says.",
            now=now,
        )
    return True


def _describe(profile: BillingProfile, running: gateway.Subscription | None) -> dict[str, object]:
    """A plan that never came from a subscription (one by agreement) is not taken away by there being none."""
    if running is None:
        kept = PlanTier.FREE if profile.stripe_subscription_id else profile.plan
        nothing = {"period_start": None, "period_end": None, "cancels_at_period_end": False}
        return {"plan": kept, "stripe_subscription_id": None, "subscription_status": "", **nothing}
    plan = _PLANS.get(running.price_lookup_key)
    if plan is None:
        raise Suspicious(f"Subscription {running.id} has a price that is no plan of ours.")
    return {
        "plan": plan,
        "stripe_subscription_id": running.id,
        "subscription_status": running.status,
        "period_start": running.period_start,
        "period_end": running.period_end,
        "cancels_at_period_end": running.cancels_at_period_end,
    }


def take_invoice(*, invoice: gateway.Invoice, clock: Clock) -> None:
    """Makes a document of a paid invoice, and of any invoice looks at how its subscription stands. Calls Stripe.

    Raises Suspicious for a customer or a currency that is none of ours.
    """
    if invoice.status == "paid":
        take_paid_invoice(invoice=invoice, now=clock())
    if invoice.subscription_id:
        refresh_subscription(customer_id=invoice.customer_id, clock=clock)


@transaction.atomic
def take_paid_invoice(*, invoice: gateway.Invoice, now: datetime) -> None:
    """Makes a document of a paid invoice, once. Nothing of it enters a reserve. Raises Suspicious."""
    if invoice.amount_paid_cents == 0:
        return
    profile = BillingProfile.objects.filter(stripe_customer_id=invoice.customer_id).first()
    if profile is None or invoice.currency != CURRENCY or invoice.livemode != gateway.is_live_account():
        raise Suspicious(f"Invoice {invoice.id} is none of ours.")
    issue_invoice(tenant=TenantId(profile.tenant_id), invoice=invoice, now=now)
