"""Turning a hold into what the call really cost: usage event, ledger entry and the hold's end in one commit."""

from datetime import datetime
from typing import Any
from uuid import UUID

from apps.billing.models import LossEntry, ReserveAccount, ReserveHold, UsageEvent
from apps.billing.services.accounts import lock_account, store_account
from apps.billing.services.holds import close_hold, get_open_hold
from apps.billing.services.ledger import EntryDraft, append_entries
from apps.billing.services.pricing import load_price_table
from apps.billing.services.rating import rate_usage
from apps.billing.types import EntryKind, HoldState, LossReason, Meter, Rated, Settlement, TokenUsage
from apps.common.tenancy import TenantId


def settle_hold(
    *,
    tenant: TenantId,
    hold_id: UUID,
    usage: TokenUsage,
    occurred_at: datetime,
    provider_request_id: str,
    duration_ms: int,
    now: datetime,
) -> Settlement:
    """Charges a served call in the caller's transaction, by the rate version that its hold pinned.

    The customer never pays more than was held, nor below the floor when a clawback took the money meanwhile: the
    rest is a loss of the house. Raises HoldNotOpen when the hold has already ended, NotFound, ReserveBusy.
    """
    account = lock_account(tenant=tenant)
    hold = get_open_hold(account=account, hold_id=hold_id)
    table = load_price_table(version_id=hold.rate_version_id, meter=Meter(hold.meter), model=hold.model)
    rated = rate_usage(table=table, usage=usage)
    billed = _bound_cost(account, hold, rated)
    close_hold(account=account, hold=hold, to=HoldState.SETTLED, now=now)
    entry_id = _post_usage(account, hold, usage=usage, billed=billed, now=now)
    store_account(account=account, now=now)
    event = UsageEvent.objects.create(
        **_describe(hold, usage=usage, rated=rated, billed=billed),
        settlement_id=entry_id,
        provider_request_id=provider_request_id[:255],
        duration_ms=max(0, duration_ms),
        occurred_at=occurred_at,
        created_at=now,
    )
    _book_excess(hold, rated=rated, billed=billed, now=now)
    return Settlement(
        usage_event_id=event.id,
        ledger_entry_id=entry_id,
        cost_micros=billed,
        loss_micros=rated.cost_micros - billed,
    )


def _bound_cost(account: ReserveAccount, hold: ReserveHold, rated: Rated) -> int:
    above_floor = max(0, account.balance_micros - account.floor_micros)
    return min(rated.cost_micros, hold.amount_micros, above_floor)


def _describe(hold: ReserveHold, *, usage: TokenUsage, rated: Rated, billed: int) -> dict[str, Any]:
    """What an event takes over from its hold, and its price with all that this rests on."""
    counts = {f"{token_class.value}_tokens": count for token_class, count in usage.by_class().items()}
    return {
        **counts,
        "tenant_id": hold.tenant_id,
        "hold": hold,
        "idempotency_key": hold.operation_key,
        "job_id": hold.job_id,
        "call_id": hold.call_id,
        "meter": hold.meter,
        "model": hold.model,
        "rate_version_id": hold.rate_version_id,
        "charges": [charge.to_json() for charge in rated.charges],
        "cost_micros": billed,
        "excess_micros": rated.cost_micros - billed,
        "provider_cost_micros": rated.provider_cost_micros,
    }


def _post_usage(
    account: ReserveAccount, hold: ReserveHold, *, usage: TokenUsage, billed: int, now: datetime
) -> UUID | None:
    """The debit, or None when there is nothing to pay."""
    if billed == 0:
        return None
    tokens = sum(usage.by_class().values())
    draft = EntryDraft(
        kind=EntryKind.USAGE,
        amount_micros=-billed,
        idempotency_key=f"usage:{hold.operation_key}",
        description=f"{tokens:,} tokens, {hold.model}",
        hold_id=hold.id,
    )
    [entry] = append_entries(account=account, drafts=[draft], now=now)
    return entry.id


def _book_excess(hold: ReserveHold, *, rated: Rated, billed: int, now: datetime) -> None:
    """What was used but not charged. Its provider cost is already on the usage event."""
    if rated.cost_micros == billed:
        return
    is_above_hold = rated.cost_micros > hold.amount_micros
    LossEntry.objects.create(
        tenant_id=hold.tenant_id,
        hold=hold,
        job_id=hold.job_id,
        call_id=hold.call_id,
        reason=LossReason.ABOVE_HOLD if is_above_hold else LossReason.BELOW_FLOOR,
        unbilled_micros=rated.cost_micros - billed,
        provider_cost_micros=0,
        created_at=now,
    )
