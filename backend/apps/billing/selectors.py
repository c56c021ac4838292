"""Reading money."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet, Sum

from apps.billing.models import BillingProfile, LedgerProof, ReserveAccount, ReserveHold, ReserveLedgerEntry, UsageEvent
from apps.billing.services.accounts import compute_spendable, get_effective_floor
from apps.billing.services.holds import view_hold
from apps.billing.services.pricing import find_version
from apps.billing.services.rating import explain_charges
from apps.billing.types import (
    Balance,
    Charge,
    EntryKind,
    HoldState,
    HoldView,
    Level,
    Meter,
    NoReserve,
    Policy,
    ReserveNotice,
)
from apps.common.tenancy import TenantId


def get_balance(*, tenant: TenantId) -> Balance:
    """How the tenant's reserve stands: one query. Raises NoReserve."""
    account = _get_account(tenant)
    available = account.balance_micros - account.held_micros
    threshold = account.low_balance_threshold_micros
    level = judge_level(available=available, threshold=threshold)
    return Balance(
        balance_micros=account.balance_micros,
        held_micros=account.held_micros,
        available_micros=available,
        is_low=level is not Level.GREEN,
        level=level,
        low_balance_threshold_micros=threshold,
        policy=Policy(account.policy),
        currency=account.currency,
        floor_micros=account.floor_micros,
        is_policy_fixed=account.is_policy_fixed,
        is_stopped=account.is_stopped,
        notice=judge_notice(account=account),
    )


def judge_level(*, available: int, threshold: int) -> Level:
    """How a reserve with so much available stands."""
    if available <= 0:
        return Level.RED
    return Level.YELLOW if available < threshold else Level.GREEN


def judge_notice(*, account: ReserveAccount) -> ReserveNotice:
    """What a customer is to be told about how the reserve stands now; where debt is allowed, it stops at the floor.

    Nothing about a reserve that nothing has entered or left yet: it was not used up.
    """
    if account.last_seq == 0:
        return ReserveNotice.NONE
    available = account.balance_micros - account.held_micros
    level = judge_level(available=available, threshold=account.low_balance_threshold_micros)
    floor = get_effective_floor(account=account, is_essential=True)
    if account.is_stopped or (level is Level.RED and floor < 0 and available <= floor):
        return ReserveNotice.STOPPED
    return {Level.GREEN: ReserveNotice.NONE, Level.YELLOW: ReserveNotice.LOW, Level.RED: ReserveNotice.EMPTY}[level]


def get_spendable(*, tenant: TenantId, is_essential: bool = False) -> int:
    """How many micros a new hold may take under the tenant's policy; never negative. Raises NoReserve."""
    return compute_spendable(account=_get_account(tenant), is_essential=is_essential)


def _get_account(tenant: TenantId) -> ReserveAccount:
    account = ReserveAccount.objects.filter(tenant_id=tenant).first()
    if account is None:
        raise NoReserve
    return account


def get_billing_profile(*, tenant: TenantId) -> BillingProfile:
    """The tenant's plan and billing details. Raises NoReserve."""
    profile = BillingProfile.objects.filter(tenant_id=tenant).first()
    if profile is None:
        raise NoReserve
    return profile


def get_standings(*, tenants: Collection[UUID]) -> dict[UUID, tuple[str, int]]:
    """Plan and balance in micros of several customers, in two queries. For staff."""
    accounts = ReserveAccount.objects.filter(tenant_id__in=tenants).values_list("tenant_id", "balance_micros")
    plans = dict(BillingProfile.objects.filter(tenant_id__in=tenants).values_list("tenant_id", "plan"))
    return {tenant: (plans.get(tenant, ""), balance) for tenant, balance in accounts}


def get_rate_card_label(*, tenant: TenantId, at: datetime) -> str:
    """What prices are in force for the tenant, such as `Starter v1`; empty when none are."""
    version = find_version(tenant=tenant, at=at)
    return "" if version is None else str(version)


def list_ledger(
    *, tenant: TenantId, kind: EntryKind | None = None, since: datetime | None = None, before: datetime | None = None
) -> QuerySet[ReserveLedgerEntry]:
    """The tenant's ledger, newest first, with the usage events that explain each debit: two queries a page.

    `since` is inclusive, `before` is not.
    """
    wanted = Q(tenant_id=tenant)
    if kind is not None:
        wanted &= Q(kind=kind)
    if since is not None:
        wanted &= Q(created_at__gte=since)
    if before is not None:
        wanted &= Q(created_at__lt=before)
    events = UsageEvent.objects.select_related("rate_version__card").order_by("id")
    entries = ReserveLedgerEntry.objects.filter(wanted).select_related("hold")
    return entries.prefetch_related(Prefetch("events", queryset=events)).order_by("-seq")


def list_usage(*, tenant: TenantId) -> QuerySet[UsageEvent]:
    """The tenant's metered use, newest first."""
    return (
        UsageEvent.objects.filter(tenant_id=tenant).select_related("rate_version__card").order_by("-occurred_at", "-id")
    )


def explain_event(event: UsageEvent) -> str:
    """Why an event cost what it did, recomputable by the reader."""
    charges = [Charge.from_json(value) for value in event.charges]
    return explain_charges(
        charges=charges, cost_micros=event.cost_micros, excess_micros=event.excess_micros, meter=Meter(event.meter)
    )


def sum_tokens(*, tenant: TenantId, since: datetime) -> tuple[int, int]:
    """Tokens sent and received since an instant: (input of all classes, output with reasoning). Read from one index."""
    sums: dict[str, Any] = UsageEvent.objects.filter(tenant_id=tenant, occurred_at__gte=since).aggregate(
        tokens_in=Sum("input_tokens", default=0)
        + Sum("cached_input_tokens", default=0)
        + Sum("cache_write_tokens", default=0),
        tokens_out=Sum("output_tokens", default=0) + Sum("reasoning_tokens", default=0),
    )
    return int(sums["tokens_in"]), int(sums["tokens_out"])


def get_job_cost(*, tenant: TenantId, job_id: UUID) -> int:
    """What the tenant has paid for a job so far, in micros."""
    cost = UsageEvent.objects.filter(tenant_id=tenant, job_id=job_id).aggregate(cost=Sum("cost_micros", default=0))
    return int(cost["cost"])


def get_job_commitment(*, tenant: TenantId, job_id: UUID) -> int:
    """What a job has cost and may still cost, in micros: paid usage and open holds."""
    held = ReserveHold.objects.filter(tenant_id=tenant, job_id=job_id, state=HoldState.OPEN)
    return get_job_cost(tenant=tenant, job_id=job_id) + int(held.aggregate(sum=Sum("amount_micros", default=0))["sum"])


def find_hold_for_call(*, tenant: TenantId, call_id: UUID) -> HoldView | None:
    """The one hold of a call, in whatever state."""
    hold = ReserveHold.objects.filter(tenant_id=tenant, call_id=call_id).first()
    return None if hold is None else view_hold(hold)


def list_overdue_holds(*, now: datetime, limit: int) -> list[HoldView]:
    """Open holds past their lease, the longest overdue first.

    Over all tenants: for the sweeper alone, which acts for the house and not for a customer.
    """
    overdue = ReserveHold.objects.filter(state=HoldState.OPEN, expires_at__lte=now).order_by("expires_at", "id")
    return [view_hold(hold) for hold in overdue[:limit]]


def find_last_proof() -> LedgerProof | None:
    """The newest proof of the ledger, good or bad."""
    return LedgerProof.objects.order_by("-at", "-id").first()


def list_tenants_with_reserve() -> list[TenantId]:
    """Every tenant that has a reserve, in the order in which they were opened."""
    return [TenantId(tenant) for tenant in ReserveAccount.objects.order_by("id").values_list("tenant_id", flat=True)]
