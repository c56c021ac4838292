"""Bringing the ledger in line with what refunds and disputes took from a payment.

The rule knows no order: of one payment, min(what was paid, refunds that stand + disputes whose money is gone) is
out of the reserve. Each refund and dispute moves the ledger at most once out and once back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from django.db import transaction

from apps.billing.models import PaymentAttempt, PaymentDispute, PaymentRefund, ReserveAccount, ReserveLedgerEntry
from apps.billing.payment_types import DisputeState, PaymentState, RefundState, UnknownPayment
from apps.billing.services.accounts import lock_account, store_account
from apps.billing.services.ledger import EntryDraft, append_entries
from apps.billing.types import DisputePhase, EntryKind
from apps.common.tenancy import TenantId

_TAKING_REFUND: Final = (RefundState.PENDING, RefundState.SUCCEEDED)
_TAKING_DISPUTE: Final = (DisputeState.WITHDRAWN, DisputeState.LOST)


@dataclass(slots=True)
class _Claim:
    """A refund or dispute of one payment, and what it has done to the ledger so far."""

    row: PaymentRefund | PaymentDispute
    takes: bool
    is_over: bool
    booked: frozenset[EntryKind]
    out: EntryDraft
    back: EntryDraft
    share: int = field(init=False)

    def __post_init__(self) -> None:
        self.share = self.row.clawed_back_micros

    @property
    def was_taken(self) -> bool:
        return self.out.kind in self.booked

    @property
    def is_to_give_back(self) -> bool:
        return self.is_over and self.share > 0 and self.back.kind not in self.booked

    @classmethod
    def of_refund(cls, row: PaymentRefund, booked: frozenset[EntryKind]) -> Self:
        refund_id = row.stripe_refund_id
        return cls(
            row=row,
            takes=refund_id is not None and row.state in _TAKING_REFUND,
            is_over=row.state == RefundState.FAILED,
            booked=booked,
            out=EntryDraft(
                kind=EntryKind.REFUND,
                amount_micros=0,
                idempotency_key=f"refund:{refund_id}",
                description="Refund of a payment",
                refund_id=refund_id,
            ),
            back=EntryDraft(
                kind=EntryKind.REFUND_REVERSED,
                amount_micros=0,
                idempotency_key=f"refund_reversed:{refund_id}",
                description="The refund failed, so the money is here again",
                refund_id=refund_id,
            ),
        )

    @classmethod
    def of_dispute(cls, row: PaymentDispute, booked: frozenset[EntryKind]) -> Self:
        dispute_id = row.stripe_dispute_id
        return cls(
            row=row,
            takes=row.state in _TAKING_DISPUTE,
            is_over=row.state == DisputeState.REINSTATED,
            booked=booked,
            out=EntryDraft(
                kind=EntryKind.DISPUTE_WITHDRAWN,
                amount_micros=0,
                idempotency_key=f"dispute:{dispute_id}:withdrawn",
                description="Disputed payment: the bank took the money back",
                dispute_id=dispute_id,
                dispute_phase=DisputePhase.WITHDRAWN,
            ),
            back=EntryDraft(
                kind=EntryKind.DISPUTE_REINSTATED,
                amount_micros=0,
                idempotency_key=f"dispute:{dispute_id}:reinstated",
                description="Disputed payment: the bank gave the money back",
                dispute_id=dispute_id,
                dispute_phase=DisputePhase.REINSTATED,
            ),
        )


@transaction.atomic
def settle_clawbacks(*, attempt_id: UUID, now: datetime) -> None:
    """Books what the payment's refunds and disputes still have to move. Repeating it moves nothing.

    Raises UnknownPayment, NoReserve, ReserveBusy.
    """
    account, attempt = lock_payment(attempt_id=attempt_id)
    settle_locked(account=account, attempt=attempt, now=now)


def lock_payment(*, attempt_id: UUID) -> tuple[ReserveAccount, PaymentAttempt]:
    """The payment's account and then the payment itself, locked: the order in which everybody takes them."""
    tenant = PaymentAttempt.objects.filter(pk=attempt_id).values_list("tenant_id", flat=True).first()
    if tenant is None:
        raise UnknownPayment
    account = lock_account(tenant=TenantId(tenant))
    return account, PaymentAttempt.objects.select_for_update(no_key=True).get(pk=attempt_id)


def settle_locked(*, account: ReserveAccount, attempt: PaymentAttempt, now: datetime) -> None:
    """The same for an account and a payment that the caller has locked.

    What begins to take takes its share; what is over gives its share back, or hands it to what could not have its
    full share while this one stood.
    """
    claims = _read_claims(attempt)
    paid = attempt.amount_micros if attempt.state == PaymentState.SUCCEEDED else 0
    taking = [claim for claim in claims if claim.takes]
    target = min(paid, sum(claim.row.amount_micros for claim in taking))
    missing = target - sum(claim.share for claim in taking)
    outs, missing = _take(taking, missing)
    _hand_over(claims, missing)
    backs = [(claim.back, claim.share) for claim in claims if claim.is_to_give_back]
    # What comes back comes first, so that the reserve is not below zero for a moment that never was.
    drafts = [replace(draft, amount_micros=amount) for draft, amount in backs]
    drafts += [replace(draft, amount_micros=-amount) for draft, amount in outs]
    _store(claims, now=now)
    if drafts:
        append_entries(account=account, drafts=drafts, now=now)
        store_account(account=account, now=now)


def _read_claims(attempt: PaymentAttempt) -> list[_Claim]:
    refunds = list(PaymentRefund.objects.filter(attempt=attempt).order_by("id"))
    disputes = list(PaymentDispute.objects.filter(attempt=attempt).order_by("id"))
    entries = ReserveLedgerEntry.objects.filter(account_id=attempt.account_id)
    by_refund = _group(entries.filter(refund_id__in=[row.stripe_refund_id for row in refunds if row.stripe_refund_id]))
    by_dispute = _group(entries.filter(dispute_id__in=[row.stripe_dispute_id for row in disputes]))
    none: frozenset[EntryKind] = frozenset()
    return [
        *(_Claim.of_refund(row, by_refund.get(row.stripe_refund_id or "", none)) for row in refunds),
        *(_Claim.of_dispute(row, by_dispute.get(row.stripe_dispute_id, none)) for row in disputes),
    ]


def _group(entries: Iterable[ReserveLedgerEntry]) -> dict[str, frozenset[EntryKind]]:
    kinds: dict[str, frozenset[EntryKind]] = {}
    for entry in entries:
        subject = entry.refund_id or entry.dispute_id or ""
        kinds[subject] = kinds.get(subject, frozenset()) | {EntryKind(entry.kind)}
    return kinds


def _take(taking: list[_Claim], missing: int) -> tuple[list[tuple[EntryDraft, int]], int]:
    """What is missing is taken by those that have not moved the ledger yet."""
    outs = []
    for claim in taking:
        if claim.was_taken or claim.share > 0:
            continue
        claim.share = min(claim.row.amount_micros, missing)
        missing -= claim.share
        if claim.share:
            outs.append((claim.out, claim.share))
    return outs, missing


def _hand_over(claims: list[_Claim], missing: int) -> None:
    """What is still missing is out of the reserve already, under the name of a claim that is over."""
    for giver in claims:
        if not giver.is_to_give_back:
            continue
        for taker in claims:
            room = taker.row.amount_micros - taker.share if taker.takes else 0
            share = min(room, giver.share, missing)
            giver.share, taker.share, missing = giver.share - share, taker.share + share, missing - share
    if missing:
        raise ValueError(f"{missing} micros of a payment are neither in the reserve nor taken from it.")


def _store(claims: list[_Claim], *, now: datetime) -> None:
    for claim in claims:
        if claim.share != claim.row.clawed_back_micros:
            claim.row.clawed_back_micros, claim.row.updated_at = claim.share, now
            claim.row.save(update_fields=["clawed_back_micros", "updated_at"])
