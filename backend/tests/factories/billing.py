"""Reserves, prices and holds for tests. Under the test card a token of PLAIN_MODEL costs one micro-dollar."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.billing.models import RateCardVersion, RateLineItem, ReserveAccount
from apps.billing.services import holds, pricing, settlement
from apps.billing.services.accounts import open_account
from apps.billing.services.credits import grant_promo_credit
from apps.billing.services.rate_cards import create_draft, publish_version
from apps.billing.types import HoldView, Meter, PlanTier, Policy, Quote, Settlement, TokenClass, TokenUsage
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from apps.tenants.services import create_tenant

NOW = datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(minutes=3)
PLAIN_MODEL = "plain-model"


def make_line(
    model: str = PLAIN_MODEL,
    token_class: TokenClass = TokenClass.INPUT,
    *,
    price: int = 1_000_000,
    cost: int = 0,
    unit_size: int = 1_000_000,
    is_essential: bool = False,
) -> RateLineItem:
    """An unsaved rate line: `price` and `cost` in micros for `unit_size` tokens."""
    return RateLineItem(
        meter=Meter.LLM_TOKENS,
        model_pattern=model,
        token_class=token_class,
        unit_size=unit_size,
        price_micros=price,
        provider_cost_micros=cost,
        is_free=price == 0,
        is_essential=is_essential,
    )


def make_lines(model: str = PLAIN_MODEL, *, price: int = 1_000_000, cost: int = 400_000) -> list[RateLineItem]:
    """Input and output of a model at one price."""
    return [make_line(model, side, price=price, cost=cost) for side in (TokenClass.INPUT, TokenClass.OUTPUT)]


def publish_prices(
    *lines: RateLineItem, plan: PlanTier = PlanTier.FREE, valid_from: datetime = LONG_AGO
) -> RateCardVersion:
    """A published version with the given lines (default: PLAIN_MODEL at one micro a token)."""
    draft = create_draft(plan=plan, lines=lines or make_lines(), note="", now=LONG_AGO)
    return publish_version(actor=None, version_id=draft.id, valid_from=valid_from, now=LONG_AGO)


def make_reserve(*, funds: int = 0, policy: Policy = Policy.BLOCK, floor: int = -5_000_000) -> TenantId:
    """A tenant with a reserve that holds `funds` micros."""
    tenant = create_tenant(name="Reserve", now=LONG_AGO)
    open_account(tenant=tenant, now=LONG_AGO)
    ReserveAccount.objects.filter(tenant_id=tenant).update(policy=policy, floor_micros=floor)
    if funds:
        fund(tenant, funds)
    return tenant


def fund(tenant: TenantId, micros: int) -> None:
    """Adds a promotional credit."""
    grant_promo_credit(tenant=tenant, amount_micros=micros, source=uuid7(), description="Welcome", now=NOW)


def make_quote(tenant: TenantId, tokens: int, *, model: str = PLAIN_MODEL, at: datetime = NOW) -> Quote:
    """The price of at most `tokens` input tokens: as many micros under the test card."""
    return pricing.quote_call(tenant=tenant, model=model, at_most=TokenUsage(input=tokens), at=at)


@transaction.atomic
def make_hold(
    tenant: TenantId,
    tokens: int,
    *,
    key: str = "",
    model: str = PLAIN_MODEL,
    job_id: UUID | None = None,
    call_id: UUID | None = None,
    now: datetime = NOW,
) -> HoldView:
    """An open hold for a call of at most `tokens` input tokens."""
    return holds.place_hold(
        tenant=tenant,
        operation_key=key or str(uuid7()),
        quote=make_quote(tenant, tokens, model=model),
        job_id=job_id or uuid7(),
        call_id=call_id or uuid7(),
        now=now,
        lease=LEASE,
    )


@transaction.atomic
def settle(hold: HoldView, usage: TokenUsage | int, *, now: datetime = NOW) -> Settlement:
    """Settles a hold by a usage, or by a number of input tokens."""
    return settlement.settle_hold(
        tenant=hold.tenant,
        hold_id=hold.id,
        usage=TokenUsage(input=usage) if isinstance(usage, int) else usage,
        occurred_at=now,
        provider_request_id="req-1",
        duration_ms=1200,
        now=now,
    )


def get_account(tenant: TenantId) -> ReserveAccount:
    """The reserve's row as it stands."""
    return ReserveAccount.objects.get(tenant_id=tenant)
