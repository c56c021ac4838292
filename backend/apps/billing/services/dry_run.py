"""What prices that are not yet in force would have made of a month that is over. Reads only.

Each use of the plan's tenants is rated again by the draft, with one rounding an event, as it would be for real.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from apps.billing.models import BillingProfile, RateCardVersion, UsageEvent
from apps.billing.models.rates import UNIT_SCALE
from apps.billing.models.usage import COUNTS
from apps.billing.services.pricing import choose_lines
from apps.billing.services.rating import PriceTable
from apps.billing.types import Meter, NoPrice, TokenClass
from apps.common.errors import Invalid, NotFound

TOP_TENANTS: Final = 20
_CLASS_OF: Final[Mapping[str, TokenClass]] = {
    name: TokenClass.QUANTITY if name == "quantity" else TokenClass(name.removesuffix("_tokens")) for name in COUNTS
}
_COLUMNS: Final = ("tenant_id", "meter", "model", "cost_micros", "excess_micros", "provider_cost_micros", *COUNTS)


@dataclass(slots=True)
class Change:
    """A part of the month, at the prices that it had and at the draft's. What the draft has no price for is left out
    of `then`, and counted in `unpriced`."""

    key: str
    label: str
    events: int = 0
    unpriced: int = 0
    now_micros: int = 0
    then_micros: int = 0
    provider_now_micros: int = 0
    provider_then_micros: int = 0

    @property
    def difference_micros(self) -> int:
        return self.then_micros - self.now_micros

    @property
    def margin_now_micros(self) -> int:
        return self.now_micros - self.provider_now_micros

    @property
    def margin_then_micros(self) -> int:
        return self.then_micros - self.provider_then_micros


@dataclass(frozen=True, slots=True)
class DryRun:
    """A draft's answer. `models` by what they cost then, `tenants` by how much changes for them, `unpriced` by events.

    `now` is the full price of each use, whether it was paid or borne by the house.
    """

    version: str
    since: datetime
    before: datetime
    total: Change
    models: Sequence[Change]
    tenants: Sequence[Change]
    unpriced: Sequence[Change]


def last_month(*, now: datetime) -> tuple[datetime, datetime]:
    """The last whole calendar month in UTC: its beginning, and the beginning of the present one."""
    before = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (before - timedelta(days=1)).replace(day=1), before


def dry_run_rates(*, version_id: UUID, since: datetime, before: datetime) -> DryRun:
    """Rates the use from `since` until before `before`, of every tenant on the version's plan, by the version.

    For staff, over all tenants. Raises NotFound, Invalid.
    """
    version = RateCardVersion.objects.select_related("card").filter(pk=version_id).first()
    if version is None:
        raise NotFound
    if since >= before:
        raise Invalid(fields={"to": ["The end lies before the beginning."]})
    on_plan = BillingProfile.objects.filter(plan=version.card.plan).values("tenant_id")
    events = UsageEvent.objects.filter(tenant_id__in=on_plan, occurred_at__gte=since, occurred_at__lt=before)
    sums = _Sums(version)
    for row in events.order_by().values(*_COLUMNS).iterator(chunk_size=5000):
        sums.add(row)
    return DryRun(
        version=str(version),
        since=since,
        before=before,
        total=sums.total,
        models=sorted(sums.models.values(), key=lambda part: (-part.then_micros, part.key)),
        tenants=_name_tenants(_most_affected(sums.tenants.values())),
        unpriced=sorted(sums.unpriced(), key=lambda part: (-part.unpriced, part.key)),
    )


def _most_affected(tenants: Iterable[Change]) -> list[Change]:
    return sorted(tenants, key=lambda part: (-abs(part.difference_micros), part.key))[:TOP_TENANTS]


def _name_tenants(tenants: list[Change]) -> list[Change]:
    rows = BillingProfile.objects.filter(tenant_id__in=[part.key for part in tenants])
    names = {str(tenant): name for tenant, name in rows.values_list("tenant_id", "tenant__name")}
    for part in tenants:
        part.label = names.get(part.key, part.key)
    return tenants


@dataclass(slots=True)
class _Rates:
    """A price table as whole numbers of millionths of a micro for each single unit; None where there is no price."""

    of: dict[str, tuple[int, int]] | None

    def apply(self, row: Mapping[str, Any]) -> tuple[int, int] | None:
        """(price, provider cost), each rounded half up once."""
        if self.of is None:
            return None
        price = sum(row[name] * rate for name, (rate, _) in self.of.items())
        provider = sum(row[name] * rate for name, (_, rate) in self.of.items())
        return _round(price), _round(provider)


def _round(scaled: int) -> int:
    return (2 * scaled + UNIT_SCALE) // (2 * UNIT_SCALE)


def _scale(table: PriceTable, meter: Meter) -> _Rates:
    rates = {}
    for name, token_class in _CLASS_OF.items():
        if (token_class is TokenClass.QUANTITY) == (meter is Meter.LLM_TOKENS):
            continue
        line = table.line_for(token_class)
        factor = UNIT_SCALE // line.unit_size
        rates[name] = (line.price_micros * factor, line.provider_cost_micros * factor)
    return _Rates(rates)


@dataclass
class _Sums:
    version: RateCardVersion
    total: Change = field(default_factory=lambda: Change("total", "Total"))
    models: dict[str, Change] = field(default_factory=dict)
    tenants: dict[str, Change] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lines = list(self.version.lines.all())
        self._rates: dict[tuple[str, str], _Rates] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        found = self._find_rates(row["meter"], row["model"]).apply(row)
        name = row["model"] or str(Meter(row["meter"]).label)
        tenant = str(row["tenant_id"])
        parts = (
            self.total,
            self.models.setdefault(name, Change(name, name)),
            self.tenants.setdefault(tenant, Change(tenant, tenant)),
        )
        for part in parts:
            part.events += 1
            part.now_micros += row["cost_micros"] + row["excess_micros"]
            part.provider_now_micros += row["provider_cost_micros"]
            if found is None:
                part.unpriced += 1
            else:
                part.then_micros += found[0]
                part.provider_then_micros += found[1]

    def unpriced(self) -> Iterator[Change]:
        return (part for part in self.models.values() if part.unpriced)

    def _find_rates(self, meter: str, model: str) -> _Rates:
        if (meter, model) not in self._rates:
            try:
                table = choose_lines(rows=self._lines, meter=Meter(meter), model=model)
            except NoPrice:
                self._rates[meter, model] = _Rates(None)
            else:
                self._rates[meter, model] = _scale(table, Meter(meter))
        return self._rates[meter, model]
