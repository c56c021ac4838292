"""Charging what was used and is over: hold, usage event and ledger entry in one transaction.

A call to a model reserves before it is made (`holds`, `settlement`). What is counted afterwards (documents, exports,
API calls, stored bytes, use that an importer brings) has nothing to wait for: as much of its price as may be spent is
held and settled at once, and the rest is a loss of the house. The work is done, so nothing is refused for money.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.billing.cost_types import MeteredUse
from apps.billing.models import (
    BillingProfile,
    LossEntry,
    RateCardVersion,
    RateLineItem,
    ReserveAccount,
    ReserveHold,
    UsageEvent,
)
from apps.billing.services.accounts import compute_spendable, lock_account, store_account
from apps.billing.services.chain import hash_request
from apps.billing.services.ledger import EntryDraft, append_entries
from apps.billing.services.pricing import choose_lines, find_version, load_price_table
from apps.billing.services.rating import PriceTable, name_quantity, rate_quantity, rate_usage
from apps.billing.types import (
    EntryKind,
    HoldState,
    IdempotencyMismatch,
    LossReason,
    Meter,
    NoPrice,
    Rated,
    VersionState,
)
from apps.common.ids import uuid7
from apps.common.statements import insert_rows
from apps.common.tenancy import TenantId


def record_use(
    *,
    tenant: TenantId,
    meter: Meter,
    quantity: int,
    occurred_at: datetime,
    key: str,
    now: datetime,
    job_id: UUID | None = None,
    at_most_micros: int | None = None,
) -> UUID | None:
    """Meters a quantity once for its key: the usage event's id, of the first time too.

    Priced by the version in force at `occurred_at`; None when that has no line for the meter, and then nothing is
    metered. Raises IdempotencyMismatch, ReserveBusy.
    """
    use = MeteredUse(
        meter=meter,
        key=key,
        occurred_at=occurred_at,
        quantity=quantity,
        job_id=job_id,
        at_most_micros=at_most_micros,
    )
    [event_id] = record_batch(tenant=tenant, uses=[use], now=now)
    return event_id


def quote_use(*, tenant: TenantId, meter: Meter, quantity: int, at: datetime) -> int:
    """What a quantity costs at the prices of `at`, in micros; nothing when it is not metered."""
    version = find_version(tenant=tenant, at=at)
    if version is None:
        return 0
    try:
        table = load_price_table(version_id=version.id, meter=meter, model="")
    except NoPrice:
        return 0
    return rate_quantity(table=table, quantity=quantity).cost_micros


@transaction.atomic
def record_batch(*, tenant: TenantId, uses: Sequence[MeteredUse], now: datetime) -> list[UUID | None]:
    """Meters many uses of one account in a fixed number of statements; their events' ids in the same order.

    A key that is known, or comes twice, is its first event. Charged in the order given, until the reserve may go no
    further down. None where a meter other than tokens has no line; raises NoPrice for tokens without one,
    IdempotencyMismatch, ReserveBusy.
    """
    rated = _Prices(tenant).rate(uses)
    if not any(rated):
        return [None] * len(uses)
    account = lock_account(tenant=tenant)
    keys = [_operation_key(use) for use in uses]
    known = _find_known(account, keys)
    batch = _Batch(account, now=now)
    for use, key, found in zip(uses, keys, rated, strict=True):
        if found is None:
            continue
        request = _hash(use)
        first = known.get(key)
        if first is None:
            known[key] = request, batch.add(use, key=key, request_hash=request, priced=found)
        elif first[0] != request:
            raise IdempotencyMismatch
    _store(batch)
    return [None if found is None else known[key][1] for key, found in zip(keys, rated, strict=True)]


def _operation_key(use: MeteredUse) -> str:
    return f"{use.meter.value}:{use.key}"


def _hash(use: MeteredUse) -> str:
    counts = tuple(use.usage.by_class().values())
    return hash_request(use.meter, use.model, use.quantity, counts, use.occurred_at.isoformat(), use.job_id)


def _find_known(account: ReserveAccount, keys: Sequence[str]) -> dict[str, tuple[str, UUID]]:
    """What was metered before under these keys: (request hash, event)."""
    rows = UsageEvent.objects.filter(tenant_id=account.tenant_id, idempotency_key__in=keys)
    found = rows.values_list("idempotency_key", "hold__request_hash", "id")
    return {key: (request, event) for key, request, event in found}


@dataclass(frozen=True, slots=True)
class _Priced:
    rated: Rated
    version_id: UUID
    is_essential: bool


class _Prices:
    """The price lists of a tenant's plan, each read once."""

    def __init__(self, tenant: TenantId) -> None:
        plan = BillingProfile.objects.filter(tenant_id=tenant).values("plan")
        published = RateCardVersion.objects.filter(card__plan__in=plan, state=VersionState.PUBLISHED)
        self._versions = list(published.order_by("-valid_from"))
        self._lines: dict[UUID, list[RateLineItem]] = {}
        self._tables: dict[tuple[UUID, Meter, str], PriceTable | None] = {}

    def rate(self, uses: Sequence[MeteredUse]) -> list[_Priced | None]:
        return [self._rate(use) for use in uses]

    def _rate(self, use: MeteredUse) -> _Priced | None:
        version = next((version for version in self._versions if version.is_in_force(use.occurred_at)), None)
        table = None if version is None else self._find_table(version.id, use)
        if version is None or table is None:
            if use.meter is Meter.LLM_TOKENS:
                raise NoPrice
            return None
        if use.meter is Meter.LLM_TOKENS:
            rated = rate_usage(table=table, usage=use.usage)
        else:
            rated = rate_quantity(table=table, quantity=use.quantity)
        return _Priced(rated=rated, version_id=version.id, is_essential=table.is_essential)

    def _find_table(self, version_id: UUID, use: MeteredUse) -> PriceTable | None:
        wanted = (version_id, use.meter, use.model)
        if wanted not in self._tables:
            self._tables[wanted] = self._choose(*wanted)
        return self._tables[wanted]

    def _choose(self, version_id: UUID, meter: Meter, model: str) -> PriceTable | None:
        if version_id not in self._lines:
            self._lines[version_id] = list(RateLineItem.objects.filter(version_id=version_id))
        try:
            return choose_lines(rows=self._lines[version_id], meter=meter, model=model)
        except NoPrice:
            return None


@dataclass
class _Batch:
    """The rows of uses that are new, on a locked account, written together."""

    account: ReserveAccount
    now: datetime = field(kw_only=True)
    holds: list[ReserveHold] = field(default_factory=list)
    drafts: list[EntryDraft] = field(default_factory=list)
    events: list[UsageEvent] = field(default_factory=list)
    losses: list[LossEntry] = field(default_factory=list)
    spent: int = 0

    def add(self, use: MeteredUse, *, key: str, request_hash: str, priced: _Priced) -> UUID:
        cost = priced.rated.cost_micros
        spendable = compute_spendable(account=self.account, is_essential=priced.is_essential) - self.spent
        promised = cost if use.at_most_micros is None else use.at_most_micros
        billed = max(0, min(cost, spendable, promised))
        self.spent += billed
        hold = self._build_hold(use, key=key, request_hash=request_hash, priced=priced, billed=billed)
        event = self._build_event(use, hold=hold, priced=priced, billed=billed)
        if billed:
            self.drafts.append(_draft(use, hold=hold, billed=billed))
        if cost > billed:
            self.losses.append(_build_loss(hold, unbilled=cost - billed))
        self.holds.append(hold)
        self.events.append(event)
        return event.id

    def _build_hold(self, use: MeteredUse, *, key: str, request_hash: str, priced: _Priced, billed: int) -> ReserveHold:
        call_id = uuid7()
        return ReserveHold(
            tenant_id=self.account.tenant_id,
            account_id=self.account.id,
            job_id=use.job_id or call_id,
            call_id=call_id,
            operation_key=key,
            request_hash=request_hash,
            meter=use.meter,
            model=use.model,
            rate_version_id=priced.version_id,
            amount_micros=billed,
            state=HoldState.SETTLED,
            closed_at=self.now,
            provider_at_most_micros=priced.rated.provider_cost_micros,
            created_at=self.now,
            expires_at=self.now,
        )

    def _build_event(self, use: MeteredUse, *, hold: ReserveHold, priced: _Priced, billed: int) -> UsageEvent:
        counts: dict[str, Any] = {f"{name.value}_tokens": count for name, count in use.usage.by_class().items()}
        return UsageEvent(
            **counts,
            quantity=use.quantity,
            tenant_id=hold.tenant_id,
            hold_id=hold.id,
            idempotency_key=hold.operation_key,
            job_id=hold.job_id,
            call_id=hold.call_id,
            meter=hold.meter,
            model=hold.model,
            rate_version_id=hold.rate_version_id,
            charges=[charge.to_json() for charge in priced.rated.charges],
            cost_micros=billed,
            excess_micros=priced.rated.cost_micros - billed,
            provider_cost_micros=priced.rated.provider_cost_micros,
            provider_request_id=use.provider_request_id[:255],
            duration_ms=max(0, use.duration_ms),
            occurred_at=use.occurred_at,
            created_at=self.now,
        )


def _store(batch: _Batch) -> None:
    """Five statements, however many uses; none when all were known."""
    if not batch.events:
        return
    insert_rows(batch.holds)
    entries = append_entries(account=batch.account, drafts=batch.drafts, now=batch.now)
    entry_of = {draft.hold_id: entry.id for draft, entry in zip(batch.drafts, entries, strict=True)}
    for event in batch.events:
        event.settlement_id = entry_of.get(event.hold_id)
    insert_rows(batch.events)
    insert_rows(batch.losses)
    store_account(account=batch.account, now=batch.now)


def _draft(use: MeteredUse, *, hold: ReserveHold, billed: int) -> EntryDraft:
    return EntryDraft(
        kind=EntryKind.USAGE,
        amount_micros=-billed,
        idempotency_key=f"usage:{hold.operation_key}",
        description=_describe(use),
        hold_id=hold.id,
    )


def _describe(use: MeteredUse) -> str:
    if use.meter is Meter.LLM_TOKENS:
        return f"{use.usage.total():,} tokens, {use.model}"
    return name_quantity(meter=use.meter, quantity=use.quantity)


def _build_loss(hold: ReserveHold, *, unbilled: int) -> LossEntry:
    """Its provider cost is already on the usage event."""
    return LossEntry(
        tenant_id=hold.tenant_id,
        hold_id=hold.id,
        job_id=hold.job_id,
        call_id=hold.call_id,
        reason=LossReason.ABOVE_HOLD,
        unbilled_micros=unbilled,
        provider_cost_micros=0,
        created_at=hold.created_at,
    )
