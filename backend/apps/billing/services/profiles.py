"""What a customer may set about their own billing."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from apps.billing.models import BillingProfile, ReserveAccount
from apps.billing.services.accounts import lock_account
from apps.billing.services.audit import record_change
from apps.billing.types import Policy, PolicyFixed
from apps.common.errors import Forbidden, Invalid
from apps.common.money import MAX_ABS_MICROS
from apps.tenants.types import Actor, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingChanges:
    """What to change; None leaves a value as it is."""

    low_balance_threshold_micros: int | None = None
    policy: Policy | None = None
    billing_email: str | None = None
    billing_name: str | None = None
    billing_address: str | None = None
    tax_id: str | None = None


# What stands on the profile; the rest is the reserve's.
_OF_PROFILE: Final = ("billing_email", "billing_name", "billing_address", "tax_id")


def check_can_edit_billing(actor: Actor) -> None:
    """Raises Forbidden unless the actor owns the tenant."""
    if actor.role != Role.OWNER:
        raise Forbidden("Only an owner can change billing settings.")


@transaction.atomic
def edit_billing(*, actor: Actor, changes: BillingChanges, now: datetime) -> None:
    """Changes threshold, policy or what stands on receipts, with an audit row.

    Raises Forbidden, PolicyFixed, Invalid, NoReserve.
    """
    check_can_edit_billing(actor)
    threshold = changes.low_balance_threshold_micros
    if threshold is not None and not 0 <= threshold <= MAX_ABS_MICROS:
        raise Invalid(fields={"low_balance_threshold_micros": ["This is outside what a reserve can hold."]})
    account = lock_account(tenant=actor.tenant)
    profile = BillingProfile.objects.select_for_update().get(tenant_id=actor.tenant)
    wanted = {name: value for name, value in asdict(changes).items() if value is not None}
    before = {name: _read(account, profile, name) for name in wanted}
    if before == wanted:
        return
    if account.is_policy_fixed and "policy" in wanted and wanted["policy"] != before["policy"]:
        raise PolicyFixed
    for name, value in wanted.items():
        setattr(profile if name in _OF_PROFILE else account, name, value)
    account.updated_at = profile.updated_at = now
    account.save(update_fields=["low_balance_threshold_micros", "policy", "updated_at"])
    profile.save(update_fields=[*_OF_PROFILE, "updated_at"])
    record_change(
        tenant=actor.tenant,
        actor=actor.user_id,
        action="billing.edited",
        target_kind="reserve_account",
        target_id=account.id,
        before=before,
        after=wanted,
        now=now,
    )


def _read(account: ReserveAccount, profile: BillingProfile, name: str) -> Any:
    return getattr(profile if name in _OF_PROFILE else account, name)
