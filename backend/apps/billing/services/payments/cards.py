"""The saved card: what our own row knows of it."""

from datetime import datetime

from apps.billing import stripe_gateway as gateway
from apps.billing.models import BillingProfile
from apps.common.tenancy import TenantId


def keep_card(*, tenant: TenantId, card: gateway.Card, now: datetime) -> None:
    """Notes the card that automatic top-ups charge, in place of any other."""
    BillingProfile.objects.filter(tenant_id=tenant).update(
        payment_method_id=card.payment_method_id,
        card_brand=card.brand,
        card_last4=card.last4,
        card_exp_month=card.exp_month or None,
        card_exp_year=card.exp_year or None,
        card_fingerprint=card.fingerprint,
        updated_at=now,
    )


def forget_card(*, payment_method_id: str, now: datetime) -> int:
    """Forgets a card that Stripe no longer keeps for the customer; another one that was saved since stays."""
    return BillingProfile.objects.filter(payment_method_id=payment_method_id).update(
        payment_method_id="",
        card_brand="",
        card_last4="",
        card_exp_month=None,
        card_exp_year=None,
        card_fingerprint="",
        updated_at=now,
    )
