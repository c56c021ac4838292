"""Setting money aside for a call, and letting it go when the call cost nothing or nobody knows.

Every end of a hold is a compare-and-set on its state under the account's lock: the first wins, the others get
HoldNotOpen.
"""

from datetime import datetime, timedelta
from uuid import UUID

from apps.billing.models import LossEntry, ReserveAccount, ReserveHold
from apps.billing.services.accounts import compute_spendable, lock_account, store_account
from apps.billing.services.chain import hash_request
from apps.billing.types import (
    HOLD_STATES,
    UNMETERED_LOSSES,
    HoldNotOpen,
    HoldState,
    HoldView,
    IdempotencyMismatch,
    InsufficientReserve,
    LossReason,
    Quote,
)
from apps.common.errors import NotFound
from apps.common.tenancy import TenantId


def place_hold(
    *,
    tenant: TenantId,
    operation_key: str,
    quote: Quote,
    job_id: UUID,
    call_id: UUID,
    now: datetime,
    lease: timedelta,
) -> HoldView:
    """Sets the quote's ceiling aside in the caller's transaction, or returns the hold that this key already made.

    The key is looked up under the account's lock before the money is: the retry of a committed hold is answered as such
    however low the balance is by then. Raises InsufficientReserve, IdempotencyMismatch, NoReserve, ReserveBusy.
    """
    account = lock_account(tenant=tenant)
    request_hash = hash_request(job_id, call_id, quote.meter, quote.model)
    known = ReserveHold.objects.filter(account=account, operation_key=operation_key).first()
    if known is not None:
        _check_same(known, request_hash=request_hash, quote=quote)
        return view_hold(known, is_replay=True)
    # A call that can cost nothing is never refused for money.
    if quote.at_most_micros > compute_spendable(account=account, is_essential=quote.is_essential):
        raise InsufficientReserve
    hold = ReserveHold.objects.create(
        tenant_id=tenant,
        account=account,
        job_id=job_id,
        call_id=call_id,
        operation_key=operation_key,
        request_hash=request_hash,
        meter=quote.meter,
        model=quote.model,
        rate_version_id=quote.rate_version_id,
        amount_micros=quote.at_most_micros,
        provider_at_most_micros=quote.provider_at_most_micros,
        created_at=now,
        expires_at=now + lease,
    )
    account.held_micros += hold.amount_micros
    store_account(account=account, now=now)
    return view_hold(hold)


def _check_same(hold: ReserveHold, *, request_hash: str, quote: Quote) -> None:
    """A retry after new prices came into force is still the same request; the first hold keeps its version."""
    has_same_prices = hold.rate_version_id == quote.rate_version_id
    if hold.request_hash != request_hash or (has_same_prices and hold.amount_micros != quote.at_most_micros):
        raise IdempotencyMismatch


def renew_hold(*, tenant: TenantId, hold_id: UUID, now: datetime, lease: timedelta) -> None:
    """Gives an open hold a fresh lease, for a call that is about to be sent. Raises HoldNotOpen."""
    still_open = ReserveHold.objects.filter(tenant_id=tenant, pk=hold_id, state=HoldState.OPEN)
    if not still_open.update(expires_at=now + lease):
        raise HoldNotOpen


def release_hold(*, tenant: TenantId, hold_id: UUID, now: datetime) -> None:
    """Gives the money back: the call never reached the model. Raises HoldNotOpen, NotFound."""
    account = lock_account(tenant=tenant)
    hold = get_open_hold(account=account, hold_id=hold_id)
    close_hold(account=account, hold=hold, to=HoldState.RELEASED, now=now)
    store_account(account=account, now=now)


def expire_hold(*, tenant: TenantId, hold_id: UUID, reason: LossReason, now: datetime) -> None:
    """Gives the money back and books what the call may have cost the house: it was sent, its usage is unknown.

    Raises HoldNotOpen, NotFound.
    """
    if reason not in UNMETERED_LOSSES:
        raise ValueError(f"{reason} goes with a settlement.")
    account = lock_account(tenant=tenant)
    hold = get_open_hold(account=account, hold_id=hold_id)
    close_hold(account=account, hold=hold, to=HoldState.EXPIRED, now=now)
    store_account(account=account, now=now)
    LossEntry.objects.create(
        tenant_id=tenant,
        hold=hold,
        job_id=hold.job_id,
        call_id=hold.call_id,
        reason=reason,
        unbilled_micros=hold.amount_micros,
        provider_cost_micros=hold.provider_at_most_micros,
        created_at=now,
    )


def get_open_hold(*, account: ReserveAccount, hold_id: UUID) -> ReserveHold:
    """An open hold of the locked account. Raises HoldNotOpen, NotFound."""
    hold = ReserveHold.objects.filter(account=account, pk=hold_id).first()
    if hold is None:
        raise NotFound
    if hold.state != HoldState.OPEN:
        raise HoldNotOpen
    return hold


def close_hold(*, account: ReserveAccount, hold: ReserveHold, to: HoldState, now: datetime) -> None:
    """Ends an open hold and frees its amount on the locked account in memory; the caller stores the account."""
    sources = HOLD_STATES.sources_of(to)
    if not ReserveHold.objects.filter(pk=hold.pk, state__in=sources).update(state=to, closed_at=now):
        raise HoldNotOpen
    hold.state, hold.closed_at = to, now
    account.held_micros -= hold.amount_micros


def view_hold(hold: ReserveHold, *, is_replay: bool = False) -> HoldView:
    return HoldView(
        id=hold.id,
        tenant=TenantId(hold.tenant_id),
        job_id=hold.job_id,
        call_id=hold.call_id,
        amount_micros=hold.amount_micros,
        state=HoldState(hold.state),
        rate_version_id=hold.rate_version_id,
        expires_at=hold.expires_at,
        is_replay=is_replay,
    )
