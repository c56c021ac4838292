"""Reading what was used, what it cost the customer and the house, and how long a reserve lasts."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from apps.billing.cost_types import (
    ChargeView,
    CostGroup,
    CostGrouping,
    CostGroups,
    CostReason,
    ReserveStanding,
    ReserveSummary,
    Runway,
    UsageFilter,
    UsageGroup,
    UsageGrouping,
    UsageGroups,
)
from apps.billing.models import (
    LossEntry,
    PaymentDispute,
    PaymentWatermark,
    ReserveAccount,
    ReserveLedgerEntry,
    UsageEvent,
)
from apps.billing.payment_types import DisputeState
from apps.billing.selectors import explain_event, get_balance, judge_level
from apps.billing.services.rating import sum_charges
from apps.billing.types import TOPUPS, Charge, EntryKind, Meter, Policy
from apps.common.errors import NotFound
from apps.common.money import round_half_up
from apps.common.tenancy import TenantId

# A reserve lasts as long as the mean of so many days says.
RUNWAY_DAYS: Final = 30
_LISTED: Final = 50
_UTC: Final = ZoneInfo("UTC")
_OPEN_DISPUTES: Final = (DisputeState.OPENED, DisputeState.WITHDRAWN)

_USAGE_SUMS: Final[Mapping[str, Any]] = {
    "cost_micros": Sum("cost_micros", default=0),
    "not_charged_micros": Sum("excess_micros", default=0),
    "events": Count("id"),
    "tokens_in": Sum(F("input_tokens") + F("cached_input_tokens") + F("cache_write_tokens"), default=0),
    "tokens_out": Sum(F("output_tokens") + F("reasoning_tokens"), default=0),
}


def list_usage_events(*, tenant: TenantId, wanted: UsageFilter) -> QuerySet[UsageEvent]:
    """The tenant's metered use that is meant, newest first."""
    rows = _filter_usage(tenant, wanted).select_related("rate_version__card", "settlement")
    return rows.order_by("-occurred_at", "-id")


def get_usage_event(*, tenant: TenantId, event_id: UUID) -> UsageEvent:
    """One use of the tenant. Raises NotFound."""
    event = (
        UsageEvent.objects.filter(tenant_id=tenant, pk=event_id)
        .select_related("rate_version__card", "settlement")
        .first()
    )
    if event is None:
        raise NotFound
    return event


def explain_cost(event: UsageEvent) -> CostReason:
    """Reckons an event's price again from its frozen charges, step by step."""
    charges = [Charge.from_json(value) for value in event.charges]
    exact = [Fraction(charge.quantity * charge.price_micros, charge.unit_size) for charge in charges]
    recomputed, _ = sum_charges(charges)
    return CostReason(
        explanation=explain_event(event),
        charges=[_view_charge(charge, product) for charge, product in zip(charges, exact, strict=True)],
        exact=_show(sum(exact, Fraction(0))),
        recomputed_micros=recomputed,
        matches=recomputed == event.cost_micros + event.excess_micros,
        rate_card=str(event.rate_version),
        valid_from=event.rate_version.valid_from,
        valid_to=event.rate_version.valid_to,
        ledger_seq=None if event.settlement is None else event.settlement.seq,
    )


def _view_charge(charge: Charge, product: Fraction) -> ChargeView:
    return ChargeView(
        token_class=charge.token_class.value,
        quantity=charge.quantity,
        unit_size=charge.unit_size,
        price_micros=charge.price_micros,
        exact=_show(product),
    )


def _show(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def sum_usage(*, tenant: TenantId, wanted: UsageFilter) -> UsageGroup:
    """The whole of the use that is meant."""
    return _usage_group({"key": "total", **_filter_usage(tenant, wanted).aggregate(**_USAGE_SUMS)}, label="Total")


def group_usage(
    *, tenant: TenantId, group_by: UsageGrouping, wanted: UsageFilter, time_zone: str = "UTC"
) -> UsageGroups:
    """The use that is meant by day (in `time_zone`), model, meter or job, with the sum of all.

    Days come in order, the others by what they cost. What belongs to no job has the empty key, and names of jobs are
    known to orchestration, which also splits by entry of the worklog (`apps.orchestration.selectors.group_usage`).
    """
    rows = _filter_usage(tenant, wanted)
    if group_by is UsageGrouping.DAY:
        by_day = rows.annotate(key=TruncDate("occurred_at", tzinfo=ZoneInfo(time_zone))).values("key")
        groups = [_usage_group(row) for row in by_day.annotate(**_USAGE_SUMS).order_by("key")]
    elif group_by is UsageGrouping.MODEL:
        by_model = _by_cost(rows.annotate(key=F("model")).values("key"))
        groups = [replace(group, label=group.label or "No model") for group in by_model]
    elif group_by is UsageGrouping.METER:
        by_meter = _by_cost(rows.annotate(key=F("meter")).values("key"))
        groups = [replace(group, label=str(Meter(group.key).label)) for group in by_meter]
    else:
        groups = _group_by_job(rows)
    return UsageGroups(groups=groups, total=sum_usage(tenant=tenant, wanted=wanted))


def _group_by_job(rows: QuerySet[UsageEvent]) -> list[UsageGroup]:
    """A use without a job names itself as its job (`apps.billing.services.metering`)."""
    of_jobs = _by_cost(rows.exclude(job_id=F("call_id")).annotate(key=F("job_id")).values("key"))
    others = rows.filter(job_id=F("call_id")).aggregate(**_USAGE_SUMS)
    return [*of_jobs, _usage_group({"key": "", **others}, label="Not for a job")] if others["events"] else of_jobs


def _by_cost(rows: Any) -> list[UsageGroup]:
    return [_usage_group(row) for row in rows.annotate(**_USAGE_SUMS).order_by("-cost_micros", "key")]


def _usage_group(row: Mapping[str, Any], *, label: str = "") -> UsageGroup:
    key = str(row["key"])
    # PostgreSQL sums whole numbers as decimals.
    return UsageGroup(key=key, label=label or key, **{name: int(row[name]) for name in _USAGE_SUMS})


def _filter_usage(tenant: TenantId | None, wanted: UsageFilter) -> QuerySet[UsageEvent]:
    given = {
        "tenant_id": tenant,
        "occurred_at__gte": wanted.since,
        "occurred_at__lt": wanted.before,
        "model": wanted.model,
        "meter": wanted.meter,
        "job_id": wanted.job_id,
    }
    return UsageEvent.objects.filter(**{name: value for name, value in given.items() if value is not None})


def get_runway(*, tenant: TenantId, now: datetime) -> Runway:
    """The balance over the mean daily spend of the last 30 days. Raises NoReserve."""
    balance = get_balance(tenant=tenant).balance_micros
    spent = sum_usage(tenant=tenant, wanted=UsageFilter(since=now - timedelta(days=RUNWAY_DAYS), before=now))
    days = max(0, balance) * RUNWAY_DAYS // spent.cost_micros if spent.cost_micros else None
    return Runway(days=days, daily_micros=round_half_up(Fraction(spent.cost_micros, RUNWAY_DAYS)))


def group_costs(*, group_by: CostGrouping, since: datetime | None = None, before: datetime | None = None) -> CostGroups:
    """Prices, provider costs and losses over all customers, the dearest first (days in order, in UTC). For staff.

    A loss counts on the day that it was booked; its model is the one that its hold was for.
    """
    wanted = UsageFilter(since=since, before=before)
    events, losses = _filter_usage(None, wanted), LossEntry.objects.all()
    if since is not None:
        losses = losses.filter(created_at__gte=since)
    if before is not None:
        losses = losses.filter(created_at__lt=before)
    paid = events.annotate(key=_cost_key(group_by, at="occurred_at", model="model")).values("key")
    lost = losses.annotate(key=_cost_key(group_by, at="created_at", model="hold__model")).values("key")
    sums: dict[str, dict[str, int]] = {}
    rows: Any = paid.annotate(events=Count("id"), price=Sum("cost_micros"), provider=Sum("provider_cost_micros"))
    for row in rows.order_by():
        sums[str(row["key"])] = {name: int(row[name]) for name in ("events", "price", "provider")}
    rows = lost.annotate(loss=Sum("provider_cost_micros"), unpaid=Sum("unbilled_micros"))
    for row in rows.order_by():
        sums.setdefault(str(row["key"]), {}).update({name: int(row[name]) for name in ("loss", "unpaid")})
    groups = _label_costs(group_by, sums)
    return CostGroups(groups=groups, total=_sum_costs(groups))


def _cost_key(group_by: CostGrouping, *, at: str, model: str) -> Any:
    if group_by is CostGrouping.DAY:
        return TruncDate(at, tzinfo=_UTC)
    return F(model) if group_by is CostGrouping.MODEL else F("tenant_id")


def _label_costs(group_by: CostGrouping, sums: Mapping[str, Mapping[str, int]]) -> list[CostGroup]:
    names = _name_tenants(sums) if group_by is CostGrouping.TENANT else {}
    groups = [
        CostGroup(
            key=key,
            label=names.get(key, key) or "No model",
            events=values.get("events", 0),
            price_micros=values.get("price", 0),
            provider_cost_micros=values.get("provider", 0),
            loss_micros=values.get("loss", 0),
            not_charged_micros=values.get("unpaid", 0),
        )
        for key, values in sums.items()
    ]
    if group_by is CostGrouping.DAY:
        return sorted(groups, key=lambda group: group.key)
    return sorted(groups, key=lambda group: (-group.price_micros, -group.loss_micros, group.key))


def _name_tenants(keys: Collection[str]) -> dict[str, str]:
    rows = ReserveAccount.objects.filter(tenant_id__in=list(keys)).values_list("tenant_id", "tenant__name")
    return {str(tenant): name for tenant, name in rows}


def _sum_costs(groups: Iterable[CostGroup]) -> CostGroup:
    names = ("events", "price_micros", "provider_cost_micros", "loss_micros", "not_charged_micros")
    groups = list(groups)
    return CostGroup(
        key="total", label="Total", **{name: sum(getattr(group, name) for group in groups) for name in names}
    )


def get_reserve_summary(*, now: datetime) -> ReserveSummary:
    """How all reserves stand, with at most 50 that are low and 50 that are stopped. For staff, over all tenants."""
    month = now.astimezone(_UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    sums = ReserveAccount.objects.aggregate(
        accounts=Count("id"),
        credit=Sum("balance_micros", filter=Q(balance_micros__gt=0), default=0),
        debt=Sum("balance_micros", filter=Q(balance_micros__lt=0), default=0),
        held=Sum("held_micros", default=0),
    )
    moved = ReserveLedgerEntry.objects.filter(created_at__gte=month, created_at__lte=now).aggregate(
        paid=Sum("amount_micros", filter=Q(kind__in=TOPUPS), default=0),
        used=Sum("amount_micros", filter=Q(kind=EntryKind.USAGE), default=0),
    )
    losses = LossEntry.objects.filter(created_at__gte=month, created_at__lte=now)
    # One that was never used runs out of nothing.
    standings = ReserveAccount.objects.filter(last_seq__gt=0).annotate(available=F("balance_micros") - F("held_micros"))
    low = standings.filter(Q(available__lt=F("low_balance_threshold_micros")) | Q(available__lte=0))
    return ReserveSummary(
        accounts=sums["accounts"],
        balance_micros=int(sums["credit"] + sums["debt"]),
        liability_micros=int(sums["credit"]),
        debt_micros=-int(sums["debt"]),
        held_micros=int(sums["held"]),
        low=_list_standings(low),
        stopped=_list_standings(standings.filter(is_stopped=True)),
        paid_in_month_micros=int(moved["paid"]),
        used_in_month_micros=-int(moved["used"]),
        losses_in_month_micros=int(losses.aggregate(sum=Sum("unbilled_micros", default=0))["sum"]),
        reconciled_at=PaymentWatermark.objects.aggregate(at=Max("updated_at"))["at"],
        open_disputes=PaymentDispute.objects.filter(state__in=_OPEN_DISPUTES).count(),
    )


def _list_standings(accounts: Any) -> list[ReserveStanding]:
    """The emptiest first."""
    return [
        ReserveStanding(
            tenant=TenantId(account.tenant_id),
            name=account.tenant.name,
            balance_micros=account.balance_micros,
            available_micros=account.available,
            level=judge_level(available=account.available, threshold=account.low_balance_threshold_micros),
            policy=Policy(account.policy),
        )
        for account in accounts.select_related("tenant").order_by("available", "id")[:_LISTED]
    ]
