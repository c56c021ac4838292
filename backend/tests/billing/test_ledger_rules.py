"""What PostgreSQL itself refuses about accounts and the ledger, whoever asks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError

from apps.billing.models import BillingAuditLog, LedgerAnchor, LedgerProof, ReserveLedgerEntry
from apps.billing.payment_types import DisputeState
from apps.billing.services.proof import prove_ledger
from apps.common.ids import uuid7
from apps.tenants.services import create_tenant
from tests.billing.raw import delete, forge_credit, forge_entry, insert, move_account, refused, run, update
from tests.factories.billing import (
    NOW,
    claw_back,
    fund,
    get_account,
    make_dispute,
    make_hold,
    make_payment,
    make_refund,
    make_reserve,
    publish_prices,
    settle,
)

pytestmark = pytest.mark.django_db
Commit = Callable[[], None]


def refuses_entry(match: str, **changes: Any) -> None:
    tenant = changes.pop("tenant", None) or make_reserve(funds=1000, floor=-10)
    with refused(match):
        insert(forge_entry(tenant, **changes))


APPEND_ONLY = ["reserveledgerentry", "usageevent", "lossentry", "billingauditlog", "ledgerproof", "ledgeranchor"]


@pytest.mark.failure("M40")
@pytest.mark.parametrize("table", [*APPEND_ONLY, "reserveaccount", "reservehold"])
def test_no_table_of_money_can_be_emptied(table: str) -> None:
    with refused("cannot be truncated"):
        run(f"TRUNCATE billing_{table} CASCADE")


@pytest.mark.failure("M40")
@pytest.mark.parametrize("change", ["amount_micros = 1", "description = 'x'", "hash = hash", "created_at = now()"])
def test_an_entry_cannot_be_updated(change: str) -> None:
    make_reserve(funds=1000)
    with refused("Cannot (update|delete)"):
        update("reserveledgerentry", change)


@pytest.mark.failure("M40")
def test_an_entry_cannot_be_deleted() -> None:
    make_reserve(funds=1000)
    with refused("Cannot (update|delete)"):
        delete("reserveledgerentry")


def test_an_account_cannot_be_deleted() -> None:
    make_reserve()
    with refused("Cannot delete"):
        delete("reserveaccount")


def test_a_tenant_with_a_ledger_cannot_be_deleted(commit: Commit) -> None:
    make_reserve(funds=1000)
    run("DELETE FROM tenants_tenant")
    with pytest.raises(IntegrityError, match="foreign key"):
        commit()


@pytest.mark.parametrize("table", ["billingauditlog", "ledgerproof", "ledgeranchor"])
def test_what_was_recorded_stays(table: str) -> None:
    BillingAuditLog.objects.create(action="x", target_kind="y", target_id=uuid7(), at=NOW)
    make_reserve(funds=1)
    prove_ledger(now=NOW)
    assert LedgerProof.objects.exists()
    assert LedgerAnchor.objects.exists()
    with refused("Cannot (update|delete)"):
        update(table, "at = now()")
    with refused("Cannot (update|delete)"):
        delete(table)


def test_a_well_formed_entry_with_its_account_is_accepted(commit: Commit) -> None:
    entry = forge_credit(make_reserve(funds=1000))
    insert(entry)
    move_account(entry)
    commit()


@pytest.mark.failure("M41")
def test_an_entry_without_its_account_is_refused_at_commit(commit: Commit) -> None:
    insert(forge_credit(make_reserve(funds=1000)))
    with pytest.raises(IntegrityError, match="differs from its last entry"):
        commit()


@pytest.mark.failure("M41")
@pytest.mark.parametrize("change", ["balance_micros = balance_micros + 1", "last_seq = 9", "last_hash = 'x'"])
def test_an_account_that_moves_by_itself_is_refused_at_commit(commit: Commit, change: str) -> None:
    make_reserve(funds=1000)
    update("reserveaccount", change)
    with pytest.raises(IntegrityError, match="differs from its last entry"):
        commit()


@pytest.mark.failure("M41")
def test_held_money_without_a_hold_is_refused_at_commit(commit: Commit) -> None:
    make_reserve(funds=1000)
    run("UPDATE billing_reserveaccount SET held_micros = 1")
    with pytest.raises(IntegrityError, match="differs from its open holds"):
        commit()


def test_an_account_that_begins_with_money_is_refused_at_commit(commit: Commit) -> None:
    account = get_account(make_reserve())
    account.id, account.balance_micros = uuid7(), 5
    account.tenant_id = create_tenant(name="Rich", now=NOW)
    insert(account)
    with pytest.raises(IntegrityError, match="differs from its last entry"):
        commit()


@pytest.mark.parametrize("change", [{"hash": "0" * 64}, {"previous_hash": "1" * 64}])
def test_an_entry_outside_the_chain_is_refused(change: dict[str, str]) -> None:
    refuses_entry("breaks the hash chain", **change)


def test_an_entry_that_does_not_add_up_is_refused() -> None:
    refuses_entry("does not add up", balance_after_micros=1101)


def test_an_entry_after_a_gap_is_refused() -> None:
    refuses_entry("has no predecessor", seq=3)


def test_a_second_entry_of_a_number_is_refused() -> None:
    refuses_entry("billing_entry_seq", seq=1, balance_after_micros=100, previous_hash="0" * 64)


def test_an_entry_that_names_another_floor_is_refused() -> None:
    refuses_entry("another floor", floor_micros=-5000)


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("billing_entry_moves", {"amount_micros": 0}),
        ("billing_entry_sign", {"amount_micros": -1}),
        ("billing_entry_sign", {"kind": "refund", "refund_id": "re_1", "amount_micros": 1}),
        ("billing_entry_sign", {"kind": "credit_expiry", "expired_entry_id": uuid7(), "amount_micros": 1}),
        ("billing_entry_sign|billing_entry_reference", {"kind": "gift"}),
        ("billing_entry_reference", {"payment_intent_id": None}),
        ("billing_entry_reference", {"refund_id": "re_1"}),
        ("billing_entry_reference", {"promo_source": uuid7()}),
        ("billing_entry_reference", {"kind": "promo_credit"}),
        ("billing_entry_reference", {"kind": "usage", "amount_micros": -1}),
        ("billing_entry_reference", {"kind": "adjustment", "amount_micros": -1}),
        ("billing_entry_reference", {"kind": "dispute_reinstated", "dispute_id": "dp_1"}),
        ("billing_entry_phase", {"kind": "dispute_reinstated", "dispute_id": "d", "dispute_phase": "withdrawn"}),
        ("billing_entry_currency", {"currency": "EUR"}),
        ("billing_entry_amount", {"amount_micros": 10**15 + 1}),
        ("billing_entry_seq_from_one|predecessor", {"seq": 0}),
    ],
)
def test_an_entry_that_breaks_a_rule_is_refused(rule: str, change: dict[str, Any]) -> None:
    refuses_entry(rule, **change)


def test_a_debit_below_the_floor_is_refused() -> None:
    tenant = make_reserve(funds=1000, floor=-10)
    credit = ReserveLedgerEntry.objects.get(tenant_id=tenant)
    change = {"kind": "credit_expiry", "expired_entry_id": credit.id, "amount_micros": -1011}
    refuses_entry("billing_entry_above_floor", tenant=tenant, **change)


def test_a_refund_below_the_floor_is_accepted(commit: Commit) -> None:
    tenant = make_reserve(funds=1000, floor=-10)
    claw_back(tenant, 9_000_000)
    commit()
    assert get_account(tenant).balance_micros == 1000 - 9_000_000


@pytest.mark.failure("M01", "M03", "M04")
@pytest.mark.parametrize("kind", ["topup", "auto_topup"])
def test_a_payment_moves_money_once(kind: str) -> None:
    tenant = make_reserve()
    intent = make_payment(tenant).stripe_payment_intent_id
    refuses_entry("billing_entry_payment", tenant=tenant, kind=kind, payment_intent_id=intent)


def test_a_payment_of_one_tenant_cannot_be_credited_to_another() -> None:
    intent = make_payment(make_reserve()).stripe_payment_intent_id
    refuses_entry("billing_entry_payment", payment_intent_id=intent)


@pytest.mark.failure("M23")
def test_a_refund_moves_money_once() -> None:
    tenant = make_reserve()
    refund = make_refund(make_payment(tenant, 100), 60)
    change = {"kind": "refund", "refund_id": refund.stripe_refund_id, "amount_micros": -1}
    refuses_entry("billing_entry_refund", tenant=tenant, **change)


@pytest.mark.failure("M25")
def test_a_dispute_moves_money_once_in_each_direction() -> None:
    tenant = make_reserve()
    dispute = make_dispute(make_payment(tenant, 100), 60, state=DisputeState.REINSTATED)
    for phase, micros in (("withdrawn", -1), ("reinstated", 1)):
        change = {"dispute_id": dispute.stripe_dispute_id, "dispute_phase": phase, "amount_micros": micros}
        refuses_entry("billing_entry_dispute", tenant=tenant, kind=f"dispute_{phase}", **change)


@pytest.mark.failure("M44")
@pytest.mark.parametrize(
    ("rule", "reference"),
    [("billing_entry_promo", {"promo_source": uuid7()}), ("billing_entry_key", {"idempotency_key": "once"})],
)
def test_the_same_credit_never_moves_money_twice(rule: str, reference: dict[str, Any]) -> None:
    tenant = make_reserve(funds=1000)
    values = {"kind": "promo_credit", "promo_source": uuid7(), **reference}
    first = forge_entry(tenant, **values)
    insert(first)
    move_account(first)
    refuses_entry(rule, tenant=tenant, **{**values, "promo_source": reference.get("promo_source", uuid7())})


def test_a_hold_is_settled_by_one_entry() -> None:
    publish_prices()
    tenant = make_reserve(funds=1000)
    hold = make_hold(tenant, 100)
    settle(hold, 50)
    refuses_entry("billing_entry_hold", tenant=tenant, kind="usage", hold_id=hold.id, amount_micros=-1)


def test_a_usage_entry_without_its_event_is_refused_at_commit(commit: Commit) -> None:
    publish_prices()
    tenant = make_reserve(funds=1000)
    entry = forge_entry(tenant, kind="usage", hold_id=make_hold(tenant, 100).id, amount_micros=-50)
    insert(entry)
    move_account(entry)
    with pytest.raises(IntegrityError, match="differs from its usage event"):
        commit()


def test_an_entry_cannot_belong_to_the_account_of_another_tenant() -> None:
    tenant, stranger = make_reserve(funds=1000), make_reserve()
    refuses_entry("billing_reserveledgerentry_account_id_tenant", tenant=tenant, tenant_id=stranger)


def test_an_entry_cannot_refer_to_the_hold_of_another_tenant() -> None:
    publish_prices()
    hold = make_hold(make_reserve(funds=1000), 10)
    refuses_entry("billing_reserveledgerentry_hold_id_tenant", kind="usage", hold_id=hold.id, amount_micros=-1)


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("billing_account_currency", "currency = 'EUR'"),
        ("billing_account_policy", "policy = 'generous'"),
        ("billing_account_floor", "floor_micros = 1"),
        ("billing_account_threshold", "low_balance_threshold_micros = -1"),
        ("billing_account_held", "held_micros = -1"),
        ("billing_account_stopped", "is_stopped = true"),
        ("billing_account_seq", "last_seq = -1"),
    ],
)
def test_an_account_that_breaks_a_rule_is_refused(rule: str, change: str) -> None:
    make_reserve(funds=1000)
    with refused(rule):
        update("reserveaccount", change)


@pytest.mark.failure("M42")
def test_a_skipped_duplicate_moves_nothing(commit: Commit) -> None:
    tenant = make_reserve()
    fund(tenant, 100)
    entry = ReserveLedgerEntry.objects.get(tenant_id=tenant)
    entry.id = uuid7()
    insert(entry, suffix="ON CONFLICT DO NOTHING")
    commit()
    assert get_account(tenant).balance_micros == 100
