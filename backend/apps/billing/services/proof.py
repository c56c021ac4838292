"""The proof of the ledger: every balance, chain, hold and price reckoned again from the rows.

Runs on a live database. Each account is read in one statement (one snapshot); its entries up to that head never change
any more, so they can be read afterwards.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Max

from apps.billing.models import LedgerAnchor, LedgerProof, ReserveAccount, ReserveLedgerEntry, UsageEvent
from apps.billing.models.usage import COUNTS
from apps.billing.services.chain import GENESIS, hash_entry
from apps.billing.services.rating import sum_charges
from apps.billing.types import CLAWBACKS, Charge
from apps.common.tenancy import SystemScope, TenantId, system_scope

_log = structlog.get_logger(__name__)

# How long after its lease a hold may still be open: several rounds of the sweeper.
SWEEP_GRACE: Final = timedelta(minutes=10)
_SHOWN: Final = 20


@dataclass
class Findings:
    """What a proof has read so far, and what did not hold."""

    accounts: int = 0
    entries: int = 0
    events: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Head:
    """An account as it stood in one snapshot, with what its holds, events and losses add up to."""

    tenant: TenantId
    account: UUID
    balance: int
    held: int
    last_seq: int
    last_hash: str
    held_by_holds: int
    usage_by_entries: int
    usage_by_events: int
    unsettled_events: int
    odd_holds: int
    overdue_holds: int


_HEADS: Final = """
    SELECT a.tenant_id, a.id, a.balance_micros, a.held_micros, a.last_seq, a.last_hash,
        (SELECT coalesce(sum(h.amount_micros), 0)::bigint FROM billing_reservehold h
            WHERE h.account_id = a.id AND h.state = 'open'),
        (SELECT coalesce(-sum(e.amount_micros), 0)::bigint FROM billing_reserveledgerentry e
            WHERE e.account_id = a.id AND e.kind = 'usage'),
        (SELECT coalesce(sum(u.cost_micros), 0)::bigint FROM billing_usageevent u WHERE u.tenant_id = a.tenant_id),
        (SELECT count(*) FROM billing_usageevent u
            LEFT JOIN billing_reserveledgerentry e ON e.id = u.settlement_id
            WHERE u.tenant_id = a.tenant_id AND u.cost_micros <> coalesce(-e.amount_micros, 0)),
        (SELECT count(*) FROM billing_reservehold h
            LEFT JOIN billing_usageevent u ON u.hold_id = h.id
            LEFT JOIN billing_lossentry l ON l.hold_id = h.id
            WHERE h.account_id = a.id AND (
                (u.id IS NOT NULL) <> (h.state = 'settled')
                OR coalesce(l.reason IN ('outcome_unknown', 'usage_unknown'), false) <> (h.state = 'expired')
                OR (h.state = 'settled' AND u.excess_micros <> coalesce(l.unbilled_micros, 0)))),
        (SELECT count(*) FROM billing_reservehold h
            WHERE h.account_id = a.id AND h.state = 'open' AND h.expires_at < %s)
    FROM billing_reserveaccount a WHERE a.id = %s
"""


@system_scope(SystemScope.PROOF)
def prove_ledger(*, now: datetime) -> LedgerProof:
    """Proves the whole ledger over all tenants, stores the result and raises an alarm in the log when it is broken."""
    started = time.monotonic()
    findings = Findings()
    for account_id in list(ReserveAccount.objects.order_by("id").values_list("id", flat=True)):
        _prove_account(account_id, findings, now=now)
    proof = LedgerProof.objects.create(
        at=now,
        is_ok=not findings.problems,
        accounts=findings.accounts,
        entries=findings.entries,
        events=findings.events,
        problems=len(findings.problems),
        first_broken=findings.problems[0][:500] if findings.problems else "",
        duration_ms=int((time.monotonic() - started) * 1000),
    )
    if findings.problems:
        _log.error("ledger.broken", problems=len(findings.problems), first=findings.problems[:_SHOWN])
    else:
        _log.info("ledger.proved", accounts=findings.accounts, entries=findings.entries, events=findings.events)
    return proof


def _prove_account(account_id: UUID, findings: Findings, *, now: datetime) -> None:
    head = _read_head(account_id, now=now)
    before = len(findings.problems)
    findings.accounts += 1
    findings.problems += _check_sums(head)
    findings.problems += _check_entries(head, findings)
    findings.problems += _check_events(head, findings)
    if len(findings.problems) == before:
        _anchor(head, now=now)


def _read_head(account_id: UUID, *, now: datetime) -> Head:
    with connection.cursor() as cursor:
        cursor.execute(_HEADS, [now - SWEEP_GRACE, account_id])
        return Head(*cursor.fetchone())


def _check_sums(head: Head) -> Iterator[str]:
    name = f"account {head.account}"
    if head.held != head.held_by_holds:
        yield f"{name}: holds {head.held_by_holds}, but says {head.held}"
    if head.usage_by_entries != head.usage_by_events:
        yield f"{name}: entries charge {head.usage_by_entries}, events cost {head.usage_by_events}"
    if head.unsettled_events:
        yield f"{name}: {head.unsettled_events} usage events differ from their settlement"
    if head.odd_holds:
        yield f"{name}: {head.odd_holds} holds differ from their usage and losses"
    if head.overdue_holds:
        yield f"{name}: {head.overdue_holds} holds are open long past their lease"


def _check_entries(head: Head, findings: Findings) -> Iterator[str]:
    """Rebuilds the chain from the first entry to the head."""
    seq, balance, last_hash = 0, 0, GENESIS
    anchors = dict(LedgerAnchor.objects.filter(account_id=head.account).values_list("seq", "hash"))
    entries = ReserveLedgerEntry.objects.filter(account_id=head.account, seq__lte=head.last_seq).order_by("seq")
    for entry in entries.iterator(chunk_size=2000):
        findings.entries += 1
        name = f"account {head.account} entry {entry.seq}"
        if entry.seq != seq + 1 or entry.previous_hash != last_hash:
            yield f"{name}: does not follow entry {seq}"
        if entry.balance_after_micros != balance + entry.amount_micros:
            yield f"{name}: does not add up"
        if entry.hash != hash_entry(entry) or anchors.get(entry.seq, entry.hash) != entry.hash:
            yield f"{name}: was changed after it was written"
        if _is_below_floor(entry):
            yield f"{name}: ends below the floor"
        seq, balance, last_hash = entry.seq, entry.balance_after_micros, entry.hash
    if (seq, balance, last_hash) != (head.last_seq, head.balance, head.last_hash):
        yield f"account {head.account}: differs from its last entry, {seq}"
    if anchors and max(anchors) > seq:
        yield f"account {head.account}: entries after {seq} have gone"


def _is_below_floor(entry: ReserveLedgerEntry) -> bool:
    may_be = entry.amount_micros > 0 or entry.kind in CLAWBACKS
    return entry.balance_after_micros < entry.floor_micros and not may_be


def _check_events(head: Head, findings: Findings) -> Iterator[str]:
    """Prices every event again from its own frozen charges."""
    for event in UsageEvent.objects.filter(tenant_id=head.tenant).order_by("id").iterator(chunk_size=2000):
        findings.events += 1
        try:
            charges = [Charge.from_json(value) for value in event.charges]
        except (KeyError, TypeError, ValueError):
            yield f"usage event {event.id}: its charges cannot be read"
            continue
        if (event.cost_micros + event.excess_micros, event.provider_cost_micros) != sum_charges(charges):
            yield f"usage event {event.id}: costs something else than its charges"
        if sum(getattr(event, count) for count in COUNTS) != sum(charge.quantity for charge in charges):
            yield f"usage event {event.id}: counts something else than its charges"


@transaction.atomic
def _anchor(head: Head, *, now: datetime) -> None:
    """Remembers the proved head, so that a rewritten history is noticed even with a chain that fits."""
    newest = LedgerAnchor.objects.filter(account_id=head.account).aggregate(seq=Max("seq"))["seq"] or 0
    if head.last_seq > newest:
        LedgerAnchor.objects.bulk_create(
            [
                LedgerAnchor(
                    tenant_id=head.tenant, account_id=head.account, seq=head.last_seq, hash=head.last_hash, at=now
                )
            ],
            ignore_conflicts=True,
        )
