"""The only writer of the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.billing.models import ReserveAccount, ReserveLedgerEntry
from apps.billing.services.accounts import lock_account, lock_accounts, store_account
from apps.billing.services.chain import hash_entry, hash_request
from apps.billing.types import CLAWBACKS, BelowFloor, DisputePhase, EntryKind, EntryView, IdempotencyMismatch, NoReserve
from apps.common.db import require_transaction
from apps.common.statements import fetch_rows, insert_rows
from apps.common.tenancy import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDraft:
    """A movement to be posted: amount in signed micro-dollars, and the one reference that fits its kind.

    The same `idempotency_key` with the same content is the same movement for ever. The audit row behind an adjustment
    is not part of that content: it is written only once the movement is known to be new.
    """

    kind: EntryKind
    amount_micros: int
    idempotency_key: str
    description: str
    actor: UUID | None = None
    payment_intent_id: str | None = None
    refund_id: str | None = None
    dispute_id: str | None = None
    dispute_phase: DisputePhase | None = None
    hold_id: UUID | None = None
    promo_source: UUID | None = None
    adjustment_id: UUID | None = None
    expired_entry_id: UUID | None = None

    def request_hash(self) -> str:
        return hash_request(
            self.kind,
            self.amount_micros,
            self.description,
            self.payment_intent_id,
            self.refund_id,
            self.dispute_id,
            self.dispute_phase,
            self.hold_id,
            self.promo_source,
            self.expired_entry_id,
        )


def post_entry(*, tenant: TenantId, draft: EntryDraft, now: datetime) -> EntryView:
    """Posts one movement in the caller's transaction, or returns it as first posted when its key is known.

    Raises IdempotencyMismatch, BelowFloor, NoReserve, ReserveBusy.
    """
    account = lock_account(tenant=tenant)
    [entry] = append_entries(account=account, drafts=[draft], now=now)
    store_account(account=account, now=now)
    return entry


def post_batch(*, batch: Mapping[TenantId, Sequence[EntryDraft]], now: datetime) -> dict[TenantId, list[EntryView]]:
    """Posts many movements, each account's in one statement, under all the accounts' locks. All or nothing."""
    accounts = lock_accounts(tenants=list(batch))
    if len(accounts) < len(batch):
        raise NoReserve
    posted = {}
    for tenant, drafts in batch.items():
        posted[tenant] = append_entries(account=accounts[tenant], drafts=drafts, now=now)
        store_account(account=accounts[tenant], now=now)
    return posted


def find_replay(*, account: ReserveAccount, draft: EntryDraft) -> EntryView | None:
    """The entry that this key already posted on the locked account. Raises IdempotencyMismatch on other content."""
    return _match(draft, _find_known(account, [draft]))


def append_entries(*, account: ReserveAccount, drafts: Sequence[EntryDraft], now: datetime) -> list[EntryView]:
    """Writes the entries of a locked account and moves it in memory; the caller stores it.

    Keys are looked up first: a replay must be answered as such even when the balance would no longer allow it.
    """
    require_transaction()
    known = _find_known(account, drafts)
    views, fresh = [], []
    for draft in drafts:
        view = _match(draft, known)
        if view is None:
            entry = _build(account, draft, now=now)
            known[draft.idempotency_key] = entry
            fresh.append(entry)
            view = _view(entry, is_replay=False)
        views.append(view)
    insert_rows(fresh)
    return views


def _find_known(account: ReserveAccount, drafts: Sequence[EntryDraft]) -> dict[str, ReserveLedgerEntry]:
    keys = [draft.idempotency_key for draft in drafts]
    if len(keys) == 1:
        rows = fetch_rows(ReserveLedgerEntry, "WHERE account_id = %s AND idempotency_key = %s", [account.id, *keys])
    else:
        rows = fetch_rows(ReserveLedgerEntry, "WHERE account_id = %s AND idempotency_key = ANY(%s)", [account.id, keys])
    return {row.idempotency_key: row for row in rows}


def _match(draft: EntryDraft, known: Mapping[str, ReserveLedgerEntry]) -> EntryView | None:
    entry = known.get(draft.idempotency_key)
    if entry is None:
        return None
    if entry.request_hash != draft.request_hash():
        raise IdempotencyMismatch
    return _view(entry, is_replay=True)


def _check_floor(account: ReserveAccount, draft: EntryDraft) -> None:
    """Only a clawback may end below the floor; money that is held is not there to be adjusted away."""
    if draft.amount_micros > 0 or draft.kind in CLAWBACKS:
        return
    spoken_for = 0 if draft.kind is EntryKind.USAGE else account.held_micros
    if account.balance_micros + draft.amount_micros - spoken_for < account.floor_micros:
        raise BelowFloor


def _build(account: ReserveAccount, draft: EntryDraft, *, now: datetime) -> ReserveLedgerEntry:
    _check_floor(account, draft)
    entry = ReserveLedgerEntry(
        tenant_id=account.tenant_id,
        account_id=account.id,
        seq=account.last_seq + 1,
        kind=draft.kind,
        amount_micros=draft.amount_micros,
        balance_after_micros=account.balance_micros + draft.amount_micros,
        floor_micros=account.floor_micros,
        idempotency_key=draft.idempotency_key,
        request_hash=draft.request_hash(),
        payment_intent_id=draft.payment_intent_id,
        refund_id=draft.refund_id,
        dispute_id=draft.dispute_id,
        dispute_phase=draft.dispute_phase,
        hold_id=draft.hold_id,
        promo_source=draft.promo_source,
        adjustment_id=draft.adjustment_id,
        expired_entry_id=draft.expired_entry_id,
        actor_id=draft.actor,
        description=draft.description,
        created_at=now,
        previous_hash=account.last_hash,
    )
    entry.hash = hash_entry(entry)
    _advance(account, entry)
    return entry


def _advance(account: ReserveAccount, entry: ReserveLedgerEntry) -> None:
    account.last_seq = entry.seq
    account.last_hash = entry.hash
    account.balance_micros = entry.balance_after_micros
    if entry.balance_after_micros >= 0:
        account.is_stopped = False
    elif entry.kind in CLAWBACKS:
        account.is_stopped = True


def _view(entry: ReserveLedgerEntry, *, is_replay: bool) -> EntryView:
    return EntryView(
        id=entry.id,
        seq=entry.seq,
        kind=EntryKind(entry.kind),
        amount_micros=entry.amount_micros,
        balance_after_micros=entry.balance_after_micros,
        is_replay=is_replay,
    )
