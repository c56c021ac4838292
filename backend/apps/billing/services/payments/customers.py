"""The customer at Stripe that stands for a tenant, their saved card and their page."""

from datetime import datetime
from hashlib import sha256

import structlog
from django.db import transaction

from apps.billing import stripe_gateway as gateway
from apps.billing.models import BillingProfile
from apps.billing.payment_types import PaymentUnavailable, Suspicious
from apps.billing.services.payments.cards import forget_card, keep_card
from apps.billing.services.profiles import check_can_edit_billing
from apps.billing.types import NoReserve
from apps.common.tenancy import TenantId
from apps.mail.links import frontend_link
from apps.tenants.types import Actor

_log = structlog.get_logger(__name__)


def ensure_customer(*, tenant: TenantId, now: datetime) -> str:
    """The tenant's customer id at Stripe, made when there is none. Calls Stripe: not for a transaction.

    Raises NoReserve, PaymentsNotSetUp, PaymentUnavailable.
    """
    profile = BillingProfile.objects.select_related("tenant").filter(tenant_id=tenant).first()
    if profile is None:
        raise NoReserve
    if profile.stripe_customer_id:
        return profile.stripe_customer_id
    name, email = profile.billing_name or profile.tenant.name, profile.billing_email
    # The key holds what is sent: after a lost answer the same wish finds its customer, and a changed one makes another,
    # of which nobody ever hears.
    content = sha256(f"{name}\n{email}".encode()).hexdigest()[:16]
    try:
        made = gateway.get_gateway().create_customer(
            tenant=tenant, name=name, email=email, key=f"customer:{tenant}:{content}"
        )
    except gateway.Refused as refused:
        _log.exception("stripe.customer_refused", code=refused.code)
        raise PaymentUnavailable from refused
    return _note_customer(tenant, made, now=now)


@transaction.atomic
def _note_customer(tenant: TenantId, customer_id: str, *, now: datetime) -> str:
    """The first one that was noted stays."""
    profile = BillingProfile.objects.select_for_update().get(tenant_id=tenant)
    if not profile.stripe_customer_id:
        profile.stripe_customer_id, profile.updated_at = customer_id, now
        profile.save(update_fields=["stripe_customer_id", "updated_at"])
    return str(profile.stripe_customer_id)


def introduce_customer(*, tenant: TenantId, now: datetime) -> str:
    """The tenant's customer id at Stripe, once Stripe knows the name and address that its own invoices should have.

    Raises NoReserve, PaymentsNotSetUp, PaymentUnavailable.
    """
    customer_id = ensure_customer(tenant=tenant, now=now)
    profile = BillingProfile.objects.select_related("tenant").get(tenant_id=tenant)
    name = profile.billing_name or profile.tenant.name
    try:
        gateway.get_gateway().update_customer(customer_id=customer_id, name=name, email=profile.billing_email)
    except (gateway.Refused, gateway.Missing) as refused:
        _log.exception("stripe.customer_refused")
        raise PaymentUnavailable from refused
    return customer_id


def start_portal(*, actor: Actor, now: datetime) -> str:
    """The address of Stripe's page for the saved card and the subscription. Owners only.

    Raises Forbidden, NoReserve, PaymentsNotSetUp, PaymentUnavailable.
    """
    check_can_edit_billing(actor)
    customer_id = introduce_customer(tenant=actor.tenant, now=now)
    try:
        return gateway.get_gateway().create_portal_session(
            customer_id=customer_id, return_url=frontend_link("billing", "settings")
        )
    except (gateway.Refused, gateway.Missing) as refused:
        _log.exception("stripe.portal_refused")
        raise PaymentUnavailable from refused


def take_saved_card(*, customer_id: str, now: datetime) -> None:
    """Notes the card that the customer has made their default at Stripe, such as in the portal. Calls Stripe."""
    card = gateway.get_gateway().get_default_card(customer_id)
    profile = BillingProfile.objects.filter(stripe_customer_id=customer_id).first()
    if profile is None:
        raise Suspicious(f"Customer {customer_id} is none of ours.")
    if card is not None and card.payment_method_id != profile.payment_method_id:
        keep_card(tenant=TenantId(profile.tenant_id), card=card, now=now)


def take_detached_card(*, payment_method_id: str, now: datetime) -> None:
    """Forgets a card that was taken away, if Stripe says so too. Calls Stripe."""
    if not gateway.get_gateway().is_attached(payment_method_id):
        forget_card(payment_method_id=payment_method_id, now=now)
