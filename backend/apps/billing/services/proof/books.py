"""The books: every balance, chain, hold and price reckoned again from the rows.

Runs on a live database. Each account is read in one statement (one snapshot); its entries up to that head never change
any more, so they can be read afterwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max

from apps.billing.models import LedgerAnchor, LedgerProof, ReserveAccount, ReserveLedgerEntry, UsageEvent
from apps.billing.models.usage import COUNTS
from apps.billing.services.chain import GENESIS, hash_entry
from apps.billing.services.proof.findings import Findings, Invariant, Problem, store_proof
from apps.billing.services.rating import sum_charges
from apps.billing.types import CLAWBACKS, Charge
from apps.common.tenancy import SystemScope, TenantId, system_scope

# How long after its lease a hold may still be open: several rounds of the sweeper.
SWEEP_GRACE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Account:
    """An account as it stood in one snapshot, with what its holds, events and losses add up to.

    The last three are how many rows break a rule, and the first of them.
    """

    tenant: TenantId
    id: UUID
    balance: int
    held: int
    last_seq: int
    last_hash: str
    held_by_holds: int
    usage_by_entries: int
    usage_by_events: int
    unsettled_events: list[str]
    odd_holds: list[str]
    overdue_holds: list[str]


_ACCOUNT: Final = """
    SELECT a.tenant_id, a.id, a.balance_micros, a.held_micros, a.last_seq, a.last_hash,
        (SELECT coalesce(sum(h.amount_micros), 0)::bigint FROM billing_reservehold h
            WHERE h.account_id = a.id AND h.state = 'open'),
        (SELECT coalesce(-sum(e.amount_micros), 0)::bigint FROM billing_reserveledgerentry e
            WHERE e.account_id = a.id AND e.kind = 'usage'),
        (SELECT coalesce(sum(u.cost_micros), 0)::bigint FROM billing_usageevent u WHERE u.tenant_id = a.tenant_id),
        (SELECT ARRAY[count(*)::text, min(u.id::text)] FROM billing_usageevent u
            LEFT JOIN billing_reserveledgerentry e ON e.id = u.settlement_id
            WHERE u.tenant_id = a.tenant_id AND u.cost_micros <> coalesce(-e.amount_micros, 0)),
        (SELECT ARRAY[count(*)::text, min(h.id::text)] FROM billing_reservehold h
            LEFT JOIN billing_usageevent u ON u.hold_id = h.id
            LEFT JOIN billing_lossentry l ON l.hold_id = h.id
            WHERE h.account_id = a.id AND (
                (u.id IS NOT NULL) <> (h.state = 'settled')
                OR coalesce(l.reason IN ('outcome_unknown', 'usage_unknown'), false) <> (h.state = 'expired')
                OR (h.state = 'settled' AND u.excess_micros <> coalesce(l.unbilled_micros, 0)))),
        (SELECT ARRAY[count(*)::text, min(h.id::text)] FROM billing_reservehold h
            WHERE h.account_id = a.id AND h.state = 'open' AND h.expires_at < %s)
    FROM billing_reserveaccount a WHERE a.id = %s
"""


@system_scope(SystemScope.PROOF)
def prove_ledger(*, now: datetime) -> LedgerProof:
    """Proves the books over all tenants, stores the result and raises an alarm in the log when they are broken."""
    return store_proof(findings=read_books(now=now), now=now)


def read_books(*, now: datetime, sweep_grace: timedelta = SWEEP_GRACE) -> Findings:
    """Rules 1, 2, 5 and 7, over every account. The head of each account that holds is anchored."""
    findings = Findings()
    for account_id in list(ReserveAccount.objects.order_by("id").values_list("id", flat=True)):
        _prove_account(account_id, findings, overdue_before=now - sweep_grace, now=now)
    return findings


def _prove_account(account_id: UUID, findings: Findings, *, overdue_before: datetime, now: datetime) -> None:
    account = _read_account(account_id, overdue_before=overdue_before)
    before = len(findings.problems)
    findings.accounts += 1
    findings.add(_check_sums(account))
    findings.add(_check_entries(account, findings))
    findings.add(_check_events(account, findings))
    if len(findings.problems) == before:
        _anchor(account, now=now)


def _read_account(account_id: UUID, *, overdue_before: datetime) -> _Account:
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNT, [overdue_before, account_id])
        return _Account(*cursor.fetchone())


def _check_sums(account: _Account) -> Iterator[Problem]:
    name = f"account {account.id}"
    if account.held != account.held_by_holds:
        yield Problem(Invariant.BOOKS, f"{name}: holds {account.held_by_holds}, but says {account.held}")
    if account.usage_by_entries != account.usage_by_events:
        costs = f"entries charge {account.usage_by_entries}, events cost {account.usage_by_events}"
        yield Problem(Invariant.USAGE, f"{name}: {costs}")
    for (count, first), invariant, text in (
        (account.unsettled_events, Invariant.USAGE, "usage events differ from their settlement"),
        (account.odd_holds, Invariant.HOLDS, "holds differ from their usage and losses"),
        (account.overdue_holds, Invariant.HOLDS, "holds are open long past their lease"),
    ):
        if count != "0":
            yield Problem(invariant, f"{name}: {count} {text}, first {first}")


def _check_entries(account: _Account, findings: Findings) -> Iterator[Problem]:
    """Rebuilds the chain from the first entry to the head."""
    seq, balance, last_hash = 0, 0, GENESIS
    anchors = dict(LedgerAnchor.objects.filter(account_id=account.id).values_list("seq", "hash"))
    entries = ReserveLedgerEntry.objects.filter(account_id=account.id, seq__lte=account.last_seq).order_by("seq")
    for entry in entries.iterator(chunk_size=2000):
        findings.entries += 1
        name = f"account {account.id} entry {entry.seq}"
        if entry.seq != seq + 1 or entry.previous_hash != last_hash:
            yield Problem(Invariant.BOOKS, f"{name}: does not follow entry {seq}")
        if entry.balance_after_micros != balance + entry.amount_micros:
            yield Problem(Invariant.BOOKS, f"{name}: does not add up")
        if entry.hash != hash_entry(entry) or anchors.get(entry.seq, entry.hash) != entry.hash:
            yield Problem(Invariant.BOOKS, f"{name}: was changed after it was written")
        if _is_below_floor(entry):
            yield Problem(Invariant.FLOOR, f"{name}: ends below the floor")
        seq, balance, last_hash = entry.seq, entry.balance_after_micros, entry.hash
    if (seq, balance, last_hash) != (account.last_seq, account.balance, account.last_hash):
        yield Problem(Invariant.BOOKS, f"account {account.id}: differs from its last entry, {seq}")
    if anchors and max(anchors) > seq:
        yield Problem(Invariant.BOOKS, f"account {account.id}: entries after {seq} have gone")


def _is_below_floor(entry: ReserveLedgerEntry) -> bool:
    may_be = entry.amount_micros > 0 or entry.kind in CLAWBACKS
    return entry.balance_after_micros < entry.floor_micros and not may_be


def _check_events(account: _Account, findings: Findings) -> Iterator[Problem]:
    """Prices every event again from its own frozen charges."""
    for event in UsageEvent.objects.filter(tenant_id=account.tenant).order_by("id").iterator(chunk_size=2000):
        findings.events += 1
        name = f"usage event {event.id}"
        try:
            charges = [Charge.from_json(value) for value in event.charges]
        except (KeyError, TypeError, ValueError):
            yield Problem(Invariant.USAGE, f"{name}: its charges cannot be read")
            continue
        if (event.cost_micros + event.excess_micros, event.provider_cost_micros) != sum_charges(charges):
            yield Problem(Invariant.USAGE, f"{name}: costs something else than its charges")
        if sum(getattr(event, count) for count in COUNTS) != sum(charge.quantity for charge in charges):
            yield Problem(Invariant.USAGE, f"{name}: counts something else than its charges")


@transaction.atomic
def _anchor(account: _Account, *, now: datetime) -> None:
    """Remembers the proved head, so that a rewritten history is noticed even with a chain that fits."""
    newest = LedgerAnchor.objects.filter(account_id=account.id).aggregate(seq=Max("seq"))["seq"] or 0
    if account.last_seq > newest:
        LedgerAnchor.objects.bulk_create(
            [
                LedgerAnchor(
                    tenant_id=account.tenant,
                    account_id=account.id,
                    seq=account.last_seq,
                    hash=account.last_hash,
                    at=now,
                )
            ],
            ignore_conflicts=True,
        )
