"""Opening a reserve, and the lock under which everything about it happens."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import OperationalError, transaction
from psycopg.errors import LockNotAvailable

from apps.billing.models import BillingProfile, ReserveAccount
from apps.billing.services.chain import GENESIS
from apps.billing.types import NoReserve, Policy, ReserveBusy
from apps.common.db import require_transaction
from apps.common.statements import fetch_rows, update_row
from apps.common.tenancy import TenantId

_MOVING: Final = ("balance_micros", "held_micros", "last_seq", "last_hash", "is_stopped", "updated_at")


@transaction.atomic
def open_account(*, tenant: TenantId, now: datetime) -> None:
    """Gives the tenant a billing profile (plan free) and an empty reserve with the configured policy. Idempotent."""
    BillingProfile.objects.bulk_create(
        [BillingProfile(tenant_id=tenant, created_at=now, updated_at=now)], ignore_conflicts=True
    )
    account = ReserveAccount(
        tenant_id=tenant,
        last_hash=GENESIS,
        policy=Policy(settings.RESERVE_DEFAULT_POLICY),
        floor_micros=settings.RESERVE_DEFAULT_FLOOR_MICROS,
        low_balance_threshold_micros=settings.RESERVE_DEFAULT_LOW_BALANCE_MICROS,
        created_at=now,
        updated_at=now,
    )
    ReserveAccount.objects.bulk_create([account], ignore_conflicts=True)


def lock_account(*, tenant: TenantId) -> ReserveAccount:
    """The tenant's reserve, locked until the transaction ends.

    Raises NoReserve, and ReserveBusy when somebody else keeps the row longer than the connection's lock timeout.
    """
    found = lock_accounts(tenants=[tenant])
    if not found:
        raise NoReserve
    return found[tenant]


def lock_accounts(*, tenants: Sequence[TenantId]) -> dict[TenantId, ReserveAccount]:
    """Several reserves, locked in primary-key order so that two callers can never wait for each other in a circle."""
    require_transaction()
    # Rows that refer to an account lock its key only: they need not wait for us, nor we for them.
    try:
        if len(tenants) == 1:
            rows = fetch_rows(ReserveAccount, "WHERE tenant_id = %s FOR NO KEY UPDATE", tenants)
        else:
            tail = "WHERE tenant_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
            rows = fetch_rows(ReserveAccount, tail, [list(tenants)])
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise ReserveBusy from error
        raise
    return {TenantId(account.tenant_id): account for account in rows}


def store_account(*, account: ReserveAccount, now: datetime) -> None:
    """Writes back what moved on a locked account."""
    account.updated_at = now
    update_row(account, _MOVING)


def get_effective_floor(*, account: ReserveAccount, is_essential: bool) -> int:
    """How far down the account's policy lets spending go: zero, or the floor."""
    policy = Policy(account.policy)
    may_owe = policy is Policy.WARN or (policy is Policy.LIMITED and is_essential)
    return account.floor_micros if may_owe else 0


def compute_spendable(*, account: ReserveAccount, is_essential: bool = False) -> int:
    """How many micros a new hold may take; never negative, and nothing after a clawback below zero."""
    if account.is_stopped:
        return 0
    floor = get_effective_floor(account=account, is_essential=is_essential)
    return max(0, account.balance_micros - account.held_micros - floor)
