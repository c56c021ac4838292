"""Money that enters or leaves a reserve without a payment: promotional credit, and corrections by staff."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.billing.models import ReserveAccount
from apps.billing.services.accounts import lock_account, store_account
from apps.billing.services.audit import record_change
from apps.billing.services.ledger import EntryDraft, append_entries, find_replay, post_entry
from apps.billing.types import EntryKind, EntryView
from apps.common.errors import Forbidden, Invalid
from apps.common.money import MAX_ABS_MICROS
from apps.common.tenancy import TenantId
from apps.tenants.types import Actor


@transaction.atomic
def grant_promo_credit(
    *, tenant: TenantId, amount_micros: int, source: UUID, description: str, now: datetime
) -> EntryView:
    """Credits a promotion, once for each `source` (what granted it, such as an invite). Raises Invalid."""
    check_amount(amount_micros, minimum=1)
    draft = EntryDraft(
        kind=EntryKind.PROMO_CREDIT,
        amount_micros=amount_micros,
        idempotency_key=f"promo:{source}",
        description=description,
        promo_source=source,
    )
    return post_entry(tenant=tenant, draft=draft, now=now)


@transaction.atomic
def adjust_reserve(
    *, actor: Actor, tenant: TenantId, amount_micros: int, reason: str, idempotency_key: str, now: datetime
) -> EntryView:
    """Corrects a reserve by a signed amount, with its audit row. Staff only.

    Raises Forbidden, Invalid, IdempotencyMismatch, BelowFloor, NoReserve.
    """
    check_can_adjust(actor)
    check_amount(amount_micros)
    if not reason.strip():
        raise Invalid(fields={"reason": ["Say why, for whoever reads this later."]})
    draft = EntryDraft(
        kind=EntryKind.ADJUSTMENT,
        amount_micros=amount_micros,
        idempotency_key=f"adjust:{idempotency_key}",
        description=reason.strip(),
        actor=actor.user_id,
    )
    account = lock_account(tenant=tenant)
    replay = find_replay(account=account, draft=draft)
    return replay or _adjust(account=account, draft=draft, actor=actor, now=now)


def _adjust(*, account: ReserveAccount, draft: EntryDraft, actor: Actor, now: datetime) -> EntryView:
    audit = record_change(
        tenant=TenantId(account.tenant_id),
        actor=actor.user_id,
        action="reserve.adjusted",
        target_kind="reserve_account",
        target_id=account.id,
        before={"balance_micros": account.balance_micros},
        after={"balance_micros": account.balance_micros + draft.amount_micros},
        reason=draft.description,
        now=now,
    )
    [entry] = append_entries(account=account, drafts=[replace(draft, adjustment_id=audit.id)], now=now)
    store_account(account=account, now=now)
    return entry


def check_can_adjust(actor: Actor) -> None:
    """Raises Forbidden unless the actor belongs to the staff."""
    if not actor.is_staff:
        raise Forbidden("Only staff may adjust a reserve.")


def check_amount(amount_micros: int, *, minimum: int = -MAX_ABS_MICROS) -> None:
    """Raises Invalid for zero and for what lies outside the bounds of an amount."""
    if amount_micros == 0 or not minimum <= amount_micros <= MAX_ABS_MICROS:
        raise Invalid(fields={"amount_micros": ["This amount is outside what a reserve can take."]})
