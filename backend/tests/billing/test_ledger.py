"""The one writer of the ledger."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError

from apps.billing.models import BillingAuditLog, ReserveLedgerEntry
from apps.billing.payment_types import DisputeState
from apps.billing.services.chain import GENESIS
from apps.billing.services.credits import adjust_reserve, grant_promo_credit
from apps.billing.services.ledger import EntryDraft, post_batch, post_entry
from apps.billing.types import BelowFloor, DisputePhase, EntryKind, IdempotencyMismatch, NoReserve
from apps.common.errors import Forbidden, Invalid
from apps.common.ids import uuid7
from apps.common.money import MAX_ABS_MICROS
from apps.common.tenancy import TenantId
from tests.factories.accounts import make_actor, make_staff
from tests.factories.billing import (
    NOW,
    draft_of_dispute,
    fund,
    get_account,
    make_dispute,
    make_hold,
    make_payment,
    make_reserve,
    publish_prices,
)

pytestmark = pytest.mark.django_db
Commit = Callable[[], None]

CREDIT = EntryDraft(
    kind=EntryKind.PROMO_CREDIT,
    amount_micros=500,
    idempotency_key="promo:1",
    description="Welcome",
    promo_source=uuid7(),
)


def rows(tenant: TenantId) -> list[tuple[int, int, int]]:
    entries = ReserveLedgerEntry.objects.filter(tenant_id=tenant).order_by("seq")
    return [(entry.seq, entry.amount_micros, entry.balance_after_micros) for entry in entries]


def test_entries_are_numbered_without_a_gap_and_add_up(commit: Commit) -> None:
    tenant = make_reserve()
    for micros in (100, 20, 3):
        fund(tenant, micros)
    commit()
    assert rows(tenant) == [(1, 100, 100), (2, 20, 120), (3, 3, 123)]


def test_each_entry_names_the_hash_of_the_one_before() -> None:
    tenant = make_reserve()
    fund(tenant, 1)
    fund(tenant, 2)
    first, second = ReserveLedgerEntry.objects.filter(tenant_id=tenant).order_by("seq")
    assert (first.previous_hash, second.previous_hash) == (GENESIS, first.hash)
    assert get_account(tenant).last_hash == second.hash


@pytest.mark.failure("M36")
def test_the_same_key_with_the_same_content_is_posted_once(commit: Commit) -> None:
    tenant = make_reserve()
    first = post_entry(tenant=tenant, draft=CREDIT, now=NOW)
    second = post_entry(tenant=tenant, draft=CREDIT, now=NOW)
    commit()
    assert (first.id, first.is_replay, second.is_replay) == (second.id, False, True)
    assert rows(tenant) == [(1, 500, 500)]


@pytest.mark.failure("M15")
@pytest.mark.parametrize("change", [{"amount_micros": 501}, {"promo_source": uuid7()}, {"description": "Other"}])
def test_the_same_key_with_other_content_is_a_conflict(change: dict[str, Any]) -> None:
    tenant = make_reserve()
    post_entry(tenant=tenant, draft=CREDIT, now=NOW)
    with pytest.raises(IdempotencyMismatch):
        post_entry(tenant=tenant, draft=replace(CREDIT, **change), now=NOW)


@pytest.mark.failure("M14")
def test_the_retry_of_a_committed_debit_is_answered_when_the_money_is_gone() -> None:
    tenant = make_reserve(funds=100, floor=0)
    credit = ReserveLedgerEntry.objects.get(tenant_id=tenant)
    expiry = EntryDraft(
        kind=EntryKind.CREDIT_EXPIRY,
        amount_micros=-100,
        idempotency_key="expiry:1",
        description="Expired",
        expired_entry_id=credit.id,
    )
    post_entry(tenant=tenant, draft=expiry, now=NOW)
    assert post_entry(tenant=tenant, draft=expiry, now=NOW).is_replay


def test_a_batch_is_one_statement_an_account(commit: Commit, django_assert_num_queries: Any) -> None:
    tenant = make_reserve()
    drafts = [replace(CREDIT, idempotency_key=f"promo:{n}", promo_source=uuid7()) for n in range(5)]
    # Lock, look up the keys, insert all five, move the account.
    with django_assert_num_queries(4):
        posted = post_batch(batch={tenant: drafts}, now=NOW)
    commit()
    assert [entry.balance_after_micros for entry in posted[tenant]] == [500, 1000, 1500, 2000, 2500]


def test_a_batch_posts_a_repeated_key_once(commit: Commit) -> None:
    tenant = make_reserve()
    first, second = post_batch(batch={tenant: [CREDIT, CREDIT]}, now=NOW)[tenant]
    commit()
    assert (first.id, second.is_replay) == (second.id, True)
    assert rows(tenant) == [(1, 500, 500)]


def test_a_batch_may_move_several_accounts(commit: Commit) -> None:
    one, two = make_reserve(), make_reserve()
    other = replace(CREDIT, idempotency_key="promo:2", promo_source=uuid7())
    post_batch(batch={one: [CREDIT], two: [other]}, now=NOW)
    commit()
    assert (rows(one), rows(two)) == ([(1, 500, 500)], [(1, 500, 500)])


def test_a_batch_for_an_unknown_account_posts_nothing() -> None:
    tenant = make_reserve()
    with pytest.raises(NoReserve), transaction.atomic():
        post_batch(batch={tenant: [CREDIT], TenantId(uuid7()): [CREDIT]}, now=NOW)
    assert rows(tenant) == []


@pytest.mark.django_db(transaction=True)
def test_nothing_is_posted_outside_a_transaction() -> None:
    tenant = make_reserve()
    with pytest.raises(TransactionManagementError):
        post_entry(tenant=tenant, draft=CREDIT, now=NOW)


@pytest.mark.failure("M25")
def test_a_dispute_moves_money_once_a_phase(commit: Commit) -> None:
    tenant = make_reserve()
    dispute = make_dispute(make_payment(tenant, 100), 60, state=DisputeState.REINSTATED)
    for phase in DisputePhase:
        assert post_entry(tenant=tenant, draft=draft_of_dispute(dispute, phase), now=NOW).is_replay
    commit()
    assert [micros for _, micros, _ in rows(tenant)] == [100, -60, 60]


def test_a_promotion_is_credited_once_for_its_source(commit: Commit) -> None:
    tenant, source = make_reserve(), uuid7()
    for _ in range(2):
        grant_promo_credit(tenant=tenant, amount_micros=500, source=source, description="Welcome", now=NOW)
    commit()
    assert rows(tenant) == [(1, 500, 500)]


@pytest.mark.parametrize("micros", [0, -1, MAX_ABS_MICROS + 1])
def test_a_promotion_is_a_positive_amount_within_bounds(micros: int) -> None:
    with pytest.raises(Invalid):
        grant_promo_credit(tenant=make_reserve(), amount_micros=micros, source=uuid7(), description="x", now=NOW)


def adjust(tenant: TenantId, micros: int, *, key: str = "k1", reason: str = "Goodwill", **actor: Any) -> Any:
    staff = actor.get("actor") or make_staff()
    return adjust_reserve(actor=staff, tenant=tenant, amount_micros=micros, reason=reason, idempotency_key=key, now=NOW)


@pytest.mark.failure("M44")
def test_an_adjustment_rests_on_its_audit_row(commit: Commit) -> None:
    tenant, staff = make_reserve(funds=100), make_staff()
    adjust(tenant, -30, actor=staff)
    commit()
    entry = ReserveLedgerEntry.objects.get(tenant_id=tenant, kind=EntryKind.ADJUSTMENT)
    audit = BillingAuditLog.objects.get(tenant_id=tenant)
    assert entry.adjustment_id == audit.id
    assert (entry.actor_id, entry.amount_micros, entry.description) == (staff.user_id, -30, "Goodwill")
    assert (audit.actor_id, audit.before, audit.after) == (
        staff.user_id,
        {"balance_micros": 100},
        {"balance_micros": 70},
    )


@pytest.mark.failure("M44")
def test_an_adjustment_clicked_twice_counts_once(commit: Commit) -> None:
    tenant, staff = make_reserve(), make_staff()
    first = adjust(tenant, 30, actor=staff)
    again = adjust(tenant, 30, actor=staff)
    commit()
    assert (again.id, again.is_replay) == (first.id, True)
    assert BillingAuditLog.objects.filter(tenant_id=tenant).count() == 1


def test_an_adjustment_key_with_another_amount_is_a_conflict() -> None:
    tenant = make_reserve()
    adjust(tenant, 30)
    with pytest.raises(IdempotencyMismatch):
        adjust(tenant, 31)


def test_only_staff_adjust() -> None:
    with pytest.raises(Forbidden):
        adjust(make_reserve(), 30, actor=make_actor())


def test_an_adjustment_needs_a_reason() -> None:
    with pytest.raises(Invalid):
        adjust(make_reserve(), 30, reason="  ")


def test_an_adjustment_of_nothing_is_refused() -> None:
    with pytest.raises(Invalid):
        adjust(make_reserve(), 0)


def test_an_adjustment_leaves_the_held_money_and_the_floor_alone(commit: Commit) -> None:
    publish_prices()
    tenant = make_reserve(funds=100, floor=-10)
    make_hold(tenant, 40)
    with pytest.raises(BelowFloor):
        adjust(tenant, -71)
    adjust(tenant, -70)
    commit()
