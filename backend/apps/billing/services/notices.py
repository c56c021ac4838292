"""Telling owners that their reserve runs out: one mail a level, until the reserve has recovered."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Case, F, IntegerField, Q, Value, When

from apps.billing.mails import RESERVE_EMPTY, RESERVE_LOW, RESERVE_STOPPED
from apps.billing.models import AutoTopup, ReserveAccount
from apps.billing.services.accounts import get_effective_floor, lock_account
from apps.billing.services.telling import name_amount, tell_owners
from apps.billing.types import Policy, ReserveNotice
from apps.common.tenancy import TenantId

# From mild to severe.
_ORDER: Final = (ReserveNotice.NONE, ReserveNotice.LOW, ReserveNotice.EMPTY, ReserveNotice.STOPPED)
_KIND_OF_LEVEL: Final[Mapping[ReserveNotice, str]] = {
    ReserveNotice.LOW: RESERVE_LOW,
    ReserveNotice.EMPTY: RESERVE_EMPTY,
    ReserveNotice.STOPPED: RESERVE_STOPPED,
}
# The notification that people may switch off. That their work has stopped they are told in any case.
_CHOICE: Final = "low_balance"
# The index of the watched accounts covers exactly these.
_WATCHED: Final = Q(balance_micros__lt=F("low_balance_threshold_micros")) | Q(balance_micros__lte=0) | ~Q(told_level="")
# Where debt is allowed, it stops at the floor.
_IS_STOPPED: Final = Q(is_stopped=True) | (
    ~Q(policy=Policy.BLOCK) & Q(floor_micros__lt=0, balance_micros__lte=F("floor_micros"))
)


def find_notice(*, account: ReserveAccount) -> ReserveNotice:
    """What the account's owners should know. Rests on the balance: what is only held may come back any minute.

    A reserve that never held anything has not run out.
    """
    balance = account.balance_micros
    floor = get_effective_floor(account=account, is_essential=True)
    if account.last_seq == 0:
        return ReserveNotice.NONE
    if account.is_stopped or (floor < 0 and balance <= floor):
        return ReserveNotice.STOPPED
    if balance <= 0:
        return ReserveNotice.EMPTY
    return ReserveNotice.LOW if balance < account.low_balance_threshold_micros else ReserveNotice.NONE


def list_to_tell(*, limit: int) -> list[TenantId]:
    """Customers whose reserve stands worse than they were told, or has recovered: over all tenants, for the watch."""
    found = (
        ReserveAccount.objects.filter(_WATCHED, last_seq__gt=0)
        .annotate(now_at=_rank_now(), told_at=_rank_told())
        .filter(Q(now_at__gt=F("told_at")) | Q(now_at=0, told_at__gt=0))
        .order_by("id")
    )
    return [TenantId(tenant) for tenant in found.values_list("tenant_id", flat=True)[:limit]]


def _rank_now() -> Case:
    """The place of `find_notice` in the order, in SQL."""
    return Case(
        When(_IS_STOPPED, then=3),
        When(balance_micros__lte=0, then=2),
        When(balance_micros__lt=F("low_balance_threshold_micros"), then=1),
        default=0,
        output_field=IntegerField(),
    )


def _rank_told() -> Case:
    whens = [When(told_level=level, then=Value(rank)) for rank, level in enumerate(_ORDER)]
    return Case(*whens, default=0, output_field=IntegerField())


@transaction.atomic
def tell_notice(*, tenant: TenantId, now: datetime) -> ReserveNotice | None:
    """Writes to the owners if the reserve stands worse than they know, and forgets what they know once it is well.

    Decided under the account's lock: whoever comes at the same time finds it done. Returns the level that was told.
    Raises NoReserve, ReserveBusy.
    """
    account = lock_account(tenant=tenant)
    level, told = find_notice(account=account), ReserveNotice(account.told_level)
    has_recovered = level is ReserveNotice.NONE
    if level is told or not (has_recovered or _ORDER.index(level) > _ORDER.index(told)):
        return None
    ReserveAccount.objects.filter(pk=account.pk).update(told_level=level)
    if has_recovered:
        return None
    _write(account, level, now=now)
    return level


def _write(account: ReserveAccount, level: ReserveNotice, *, now: datetime) -> None:
    tell_owners(
        tenant=TenantId(account.tenant_id),
        kind=_KIND_OF_LEVEL[level],
        context={
            "available": name_amount(account.balance_micros - account.held_micros),
            "balance": name_amount(account.balance_micros),
            "threshold": name_amount(account.low_balance_threshold_micros),
            "floor": name_amount(account.floor_micros),
            "may_owe": account.policy == Policy.WARN,
            "is_clawback": account.is_stopped,
            "is_automatic": AutoTopup.objects.filter(account=account, is_on=True).exists(),
        },
        key=f"{account.id}:{account.last_seq}",
        choice="" if level is ReserveNotice.STOPPED else _CHOICE,
        now=now,
    )
