"""Which price applies, and what a call may cost at most."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.billing.models import BillingProfile, RateCardVersion, RateLineItem
from apps.billing.services.rating import PricedLine, PriceTable, rate_ceiling
from apps.billing.types import REQUIRED_CLASSES, Meter, NoPrice, Quote, TokenClass, TokenUsage, VersionState
from apps.common.tenancy import TenantId


def quote_call(*, tenant: TenantId, model: str, at_most: TokenUsage, at: datetime) -> Quote:
    """The price of a call's ceiling by the rate version in force at `at`, which the call will be settled by.

    Raises NoPrice when the plan's card has no version in force, or no line for the model. A line that costs nothing
    counts only when it says that it is free (held by the database).
    """
    version = find_version(tenant=tenant, at=at)
    if version is None:
        raise NoPrice
    table = load_price_table(version_id=version.id, meter=Meter.LLM_TOKENS, model=model)
    price, provider_cost = rate_ceiling(table=table, ceiling=at_most)
    return Quote(
        at_most_micros=price,
        rate_version_id=version.id,
        rate_card_label=str(version),
        model=model,
        meter=Meter.LLM_TOKENS,
        provider_at_most_micros=provider_cost,
        is_essential=table.is_essential,
    )


def find_version(*, tenant: TenantId, at: datetime) -> RateCardVersion | None:
    """The version of the tenant's plan's card that is in force at `at`."""
    plan = BillingProfile.objects.filter(tenant_id=tenant).values("plan")
    return published_at(at).filter(card__plan__in=plan).select_related("card").first()


def published_at(at: datetime) -> QuerySet[RateCardVersion]:
    """The versions in force at an instant: at most one a card."""
    in_force = Q(valid_from__lte=at) & (Q(valid_to__isnull=True) | Q(valid_to__gt=at))
    return RateCardVersion.objects.filter(in_force, state=VersionState.PUBLISHED).order_by("card_id")


def load_price_table(*, version_id: UUID, meter: Meter, model: str) -> PriceTable:
    """The version's lines for a model: those under its exact name, or else under the longest pattern that fits.

    `*` is the shortest pattern, so it comes last; a meter that knows no models has the model "" and lines under `*`.
    Patterns are not mixed: a class that the chosen one lacks is priced by its wider class there. Raises NoPrice.
    """
    patterns = [f"{model[:length]}*" for length in range(len(model) + 1)]
    rows = RateLineItem.objects.filter(version_id=version_id, meter=meter, model_pattern__in=[model, *patterns])
    return choose_lines(rows=rows, meter=meter, model=model)


def choose_lines(*, rows: Iterable[RateLineItem], meter: Meter, model: str) -> PriceTable:
    """The same choice out of lines that are at hand, of one version. Raises NoPrice."""
    by_pattern: dict[str, dict[TokenClass, PricedLine]] = {}
    for row in rows:
        if row.meter == meter and fits(pattern=row.model_pattern, model=model):
            by_pattern.setdefault(row.model_pattern, {})[TokenClass(row.token_class)] = _priced(row)
    if not by_pattern:
        raise NoPrice
    chosen = by_pattern.get(model) or by_pattern[max(by_pattern, key=len)]
    if not REQUIRED_CLASSES[meter] <= chosen.keys():
        raise NoPrice
    return PriceTable(lines=chosen)


def fits(*, pattern: str, model: str) -> bool:
    """Whether a line's pattern means this model: its very name, or a beginning of it with a star behind."""
    return pattern == model or (pattern.endswith("*") and model.startswith(pattern[:-1]))


def _priced(row: RateLineItem) -> PricedLine:
    return PricedLine(
        id=row.id,
        unit_size=row.unit_size,
        price_micros=row.price_micros,
        provider_cost_micros=row.provider_cost_micros,
        is_essential=row.is_essential,
    )
