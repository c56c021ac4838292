"""What staff may set about a customer's reserve: its policy, its floor, and whether the customer may choose."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.billing.services.accounts import lock_account
from apps.billing.services.audit import record_change
from apps.billing.types import Policy
from apps.common.errors import Forbidden, Invalid
from apps.common.money import MAX_ABS_MICROS
from apps.common.tenancy import TenantId
from apps.tenants.types import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChanges:
    """What to change; None leaves a value as it is."""

    policy: Policy | None = None
    floor_micros: int | None = None
    is_policy_fixed: bool | None = None


@dataclass(frozen=True, slots=True)
class PolicyView:
    policy: Policy
    floor_micros: int
    is_policy_fixed: bool


@transaction.atomic
def set_policy(*, actor: Actor, tenant: TenantId, changes: PolicyChanges, reason: str, now: datetime) -> PolicyView:
    """Changes how far a customer's reserve may be spent, with an audit row. Staff only.

    A floor above what is owed or held already takes nothing back: it only lets nothing more be spent. Raises
    Forbidden, Invalid, NoReserve, ReserveBusy.
    """
    check_can_set_policy(actor)
    if not reason.strip():
        raise Invalid(fields={"reason": ["Say why, for whoever reads this later."]})
    if changes.floor_micros is not None and not -MAX_ABS_MICROS <= changes.floor_micros <= 0:
        raise Invalid(fields={"floor_micros": ["A floor is zero or a debt within the bounds of an amount."]})
    account = lock_account(tenant=tenant)
    wanted = {name: value for name, value in asdict(changes).items() if value is not None}
    before: dict[str, Any] = {name: getattr(account, name) for name in wanted}
    if before != wanted:
        for name, value in wanted.items():
            setattr(account, name, value)
        account.updated_at = now
        account.save(update_fields=[*wanted, "updated_at"])
        record_change(
            tenant=tenant,
            actor=actor.user_id,
            action="reserve.policy_set",
            target_kind="reserve_account",
            target_id=account.id,
            before=before,
            after=wanted,
            reason=reason.strip(),
            now=now,
        )
    return PolicyView(
        policy=Policy(account.policy), floor_micros=account.floor_micros, is_policy_fixed=account.is_policy_fixed
    )


def check_can_set_policy(actor: Actor) -> None:
    """Raises Forbidden unless the actor belongs to the staff."""
    if not actor.is_staff:
        raise Forbidden("Only staff may set the policy of a reserve.")
