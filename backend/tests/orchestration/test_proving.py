"""The proof of all the money finds what somebody changed behind all the rules, and names the rule."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection

from apps.artifacts import storage
from apps.billing import stripe_gateway
from apps.billing.models import LedgerProof, PaymentAttempt, PaymentDispute, PaymentRefund, StripeEvent
from apps.billing.payment_types import DisputeState, PaymentKind, PaymentState, RefundState
from apps.billing.services.audit import record_change
from apps.billing.services.proof import Findings, Invariant
from apps.common import clock
from apps.common.ids import uuid7
from apps.common.money import micros_to_cents
from apps.common.tenancy import TenantId
from apps.orchestration.services.proving import ANCHORS, prove_money
from tests.billing.raw import forge_attempt, forge_entry, insert, move_account, run
from tests.billing.test_proof import rewrite_history
from tests.factories.billing import (
    fund,
    make_dispute,
    make_payment,
    make_refund,
)
from tests.factories.orchestration import begin_report, make_writer, work

pytestmark = [pytest.mark.django_db, pytest.mark.failure("M40")]

DOLLAR = 1_000_000


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    """Each test begins without anchors."""
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": default}


@pytest.fixture
def tenant() -> TenantId:
    """A customer who paid, was refunded, disputed, filled up automatically and had a report written."""
    writer = make_writer(entries=2)
    tenant, now = writer.tenant, clock.now()
    paid = make_payment(tenant, 30 * DOLLAR, now=now)
    make_refund(paid, 10 * DOLLAR, now=now)
    make_refund(paid, 1 * DOLLAR, state=RefundState.FAILED, now=now)
    make_dispute(paid, 5 * DOLLAR, now=now)
    make_dispute(paid, 2 * DOLLAR, state=DisputeState.REINSTATED, now=now)
    make_payment(tenant, 20 * DOLLAR, kind=PaymentKind.AUTOMATIC, now=now)
    make_payment(tenant, 9 * DOLLAR, state=PaymentState.FAILED, now=now)
    work(begin_report(writer))
    return tenant


def tamper(*statements: str) -> None:
    """Changes by somebody who owns the tables and switches their rules off."""
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^(billing|llm)_'")
        tables = [name for (name,) in cursor.fetchall()]
    for table in tables:
        run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for statement in statements:
        run(statement)


def broken(findings: Findings) -> set[int]:
    return {problem.invariant.value for problem in findings.problems}


def test_a_sound_house_is_proved(tenant: TenantId) -> None:
    findings = prove_money(now=clock.now())
    assert [str(problem) for problem in findings.problems] == []
    assert (findings.accounts, findings.payments) == (1, 3)
    assert findings.calls > 0
    assert LedgerProof.objects.get().is_ok


def test_an_empty_house_is_proved() -> None:
    assert not prove_money(now=clock.now()).problems


def test_what_cannot_be_asked_is_said(tenant: TenantId) -> None:
    assert prove_money(now=clock.now()).skipped == ["Stripe's side: payments are not set up"]


CORRUPTIONS: dict[str, tuple[Invariant, str, str]] = {
    "an entry's text": (
        Invariant.BOOKS,
        "UPDATE billing_reserveledgerentry SET description = 'x' WHERE kind = 'refund'",
        "was changed after it was written",
    ),
    "a balance": (Invariant.BOOKS, "UPDATE billing_reserveaccount SET balance_micros = 5", "differs from its last"),
    "a payment that was never paid": (
        Invariant.PAYMENTS,
        "UPDATE billing_paymentattempt SET state = 'succeeded' WHERE state = 'failed'",
        "9000000 was paid, 0 entries credit 0",
    ),
    "a payment that is said to have failed": (
        Invariant.PAYMENTS,
        "UPDATE billing_paymentattempt SET state = 'failed' WHERE kind = 'automatic'",
        "credits no payment of its amount",
    ),
    "another amount paid": (
        Invariant.PAYMENTS,
        "UPDATE billing_paymentattempt SET amount_micros = 21000000 WHERE kind = 'automatic'",
        "21000000 was paid, 1 entries credit 20000000",
    ),
    "another payment's money": (
        Invariant.PAYMENTS,
        "UPDATE billing_paymentattempt SET stripe_payment_intent_id = 'pi_x' WHERE kind = 'automatic'",
        "20000000 was paid, 0 entries credit 0",
    ),
    "a refund that was forgotten": (
        Invariant.CLAWBACKS,
        "UPDATE billing_paymentrefund SET clawed_back_micros = 0 WHERE state = 'succeeded'",
        "its rows say that 5000000 were taken, the ledger says 15000000",
    ),
    "a refund that failed in silence": (
        Invariant.CLAWBACKS,
        "UPDATE billing_paymentrefund SET state = 'failed' WHERE state = 'succeeded'",
        "5000000 were wanted back",
    ),
    "a dispute that was won in silence": (
        Invariant.CLAWBACKS,
        "UPDATE billing_paymentdispute SET state = 'reinstated' WHERE state = 'withdrawn'",
        "10000000 were wanted back",
    ),
    "a refund without its row": (
        Invariant.CLAWBACKS,
        "DELETE FROM billing_paymentrefund WHERE state = 'failed'",
        "a refund of account",
    ),
    "a cost": (
        Invariant.USAGE,
        "UPDATE billing_usageevent SET cost_micros = cost_micros + 1 WHERE cost_micros > 0",
        "entries charge",
    ),
    "a call that was given away": (
        Invariant.CALLS,
        "UPDATE llm_llmcall SET state = 'lost' WHERE state = 'answered'",
        "is lost with 1 usage events and 0 losses",
    ),
    "a hold's end": (
        Invariant.HOLDS,
        "UPDATE billing_reservehold SET state = 'released'",
        "holds differ from their usage",
    ),
    "a call that stays open": (
        Invariant.HOLDS,
        "UPDATE billing_reservehold SET state = 'open', closed_at = NULL, expires_at = '2026-01-01'",
        "holds are open long past their lease, first",
    ),
    "a cap": (
        Invariant.AUTOMATIC,
        "UPDATE billing_autotopup SET monthly_cap_micros = 19999999, amount_micros = 1",
        "20000000 were charged automatically in the month of",
    ),
    "two open automatic payments": (
        Invariant.AUTOMATIC,
        "UPDATE billing_paymentattempt SET kind = 'automatic', state = 'open', closed_at = NULL",
        "3 automatic payments are open at once",
    ),
    "a charge after the breaker": (
        Invariant.AUTOMATIC,
        "UPDATE billing_autotopup SET state = 'suspended'",
        "began or stayed open after account",
    ),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_change_behind_the_rules_is_found_and_named(tenant: TenantId, name: str) -> None:
    invariant, statement, text = CORRUPTIONS[name]
    tamper("DROP INDEX billing_attempt_one_automatic", statement)
    problems = prove_money(now=clock.now()).problems
    assert any(problem.invariant is invariant and text in problem.text for problem in problems), problems
    assert not LedgerProof.objects.get().is_ok


def test_an_entry_below_its_floor_is_found(tenant: TenantId) -> None:
    tamper("ALTER TABLE billing_reserveledgerentry DROP CONSTRAINT billing_entry_above_floor")
    entry = forge_entry(tenant, kind="credit_expiry", expired_entry_id=first_entry(tenant), amount_micros=-(10**12))
    insert(entry)
    move_account(entry)
    assert Invariant.FLOOR in broken(prove_money(now=clock.now()))


def first_entry(tenant: TenantId) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM billing_reserveledgerentry WHERE tenant_id = %s AND seq = 1", [tenant])
        return cursor.fetchone()[0]


def test_a_clawback_of_more_than_the_payment_is_found(tenant: TenantId) -> None:
    tamper("UPDATE billing_paymentattempt SET amount_micros = 1 WHERE amount_micros = 30000000")
    problems = [
        problem for problem in prove_money(now=clock.now()).problems if problem.invariant == Invariant.CLAWBACKS
    ]
    assert "of 1 paid 15000000 were wanted back" in problems[0].text


def test_a_cap_that_was_lowered_meanwhile_breaks_nothing(tenant: TenantId) -> None:
    run("UPDATE billing_autotopup SET monthly_cap_micros = 10000000, amount_micros = 10000000")
    record_change(
        tenant=tenant,
        actor=None,
        action="auto_topup.edited",
        target_kind="auto_topup",
        target_id=uuid7(),
        before={"monthly_cap_micros": 100 * DOLLAR},
        after={"monthly_cap_micros": 10 * DOLLAR},
        now=clock.now(),
    )
    assert not prove_money(now=clock.now()).problems


@dataclass
class Listed:
    """What Stripe lists."""

    payments: list[stripe_gateway.Payment] = field(default_factory=list)
    refunds: list[stripe_gateway.Refund] = field(default_factory=list)
    disputes: list[stripe_gateway.Dispute] = field(default_factory=list)

    def iter_payments(self, **_: Any) -> Iterator[stripe_gateway.Payment]:
        yield from self.payments

    def iter_refunds(self, **_: Any) -> Iterator[stripe_gateway.Refund]:
        yield from self.refunds

    def iter_disputes(self, **_: Any) -> Iterator[stripe_gateway.Dispute]:
        yield from self.disputes


def payment_there(attempt: PaymentAttempt, **changes: Any) -> stripe_gateway.Payment:
    values = {
        "id": attempt.stripe_payment_intent_id,
        "status": "succeeded" if attempt.state == PaymentState.SUCCEEDED else "requires_payment_method",
        "amount_cents": micros_to_cents(attempt.amount_micros),
        "currency": "usd",
        "customer_id": "cus_1",
        "attempt_id": attempt.id,
        "livemode": False,
        "created_at": attempt.created_at - timedelta(days=1),
    }
    return stripe_gateway.Payment(**{**values, **changes})


def refund_there(refund: PaymentRefund, **changes: Any) -> stripe_gateway.Refund:
    values = {
        "id": refund.stripe_refund_id,
        "payment_intent_id": refund.attempt.stripe_payment_intent_id,
        "amount_cents": micros_to_cents(refund.amount_micros),
        "currency": "usd",
        "status": refund.state,
        "failure_reason": "",
        "refund_row_id": refund.id,
        "created_at": refund.created_at - timedelta(days=1),
    }
    return stripe_gateway.Refund(**{**values, **changes})


def dispute_there(dispute: PaymentDispute, **changes: Any) -> stripe_gateway.Dispute:
    values = {
        "id": dispute.stripe_dispute_id,
        "payment_intent_id": dispute.attempt.stripe_payment_intent_id,
        "amount_cents": micros_to_cents(dispute.amount_micros),
        "currency": "usd",
        "status": "needs_response",
        "reason": "fraudulent",
        "is_withdrawn": True,
        "is_reinstated": dispute.state == DisputeState.REINSTATED,
        "evidence_due_by": None,
        "created_at": dispute.created_at - timedelta(days=1),
    }
    return stripe_gateway.Dispute(**{**values, **changes})


@pytest.fixture
def listed(tenant: TenantId, monkeypatch: pytest.MonkeyPatch) -> Listed:
    """Stripe's lists, in agreement with ours."""
    listed = Listed(
        payments=[payment_there(row) for row in PaymentAttempt.objects.order_by("id")],
        refunds=[refund_there(row) for row in PaymentRefund.objects.order_by("id")],
        disputes=[dispute_there(row) for row in PaymentDispute.objects.order_by("id")],
    )
    monkeypatch.setattr(stripe_gateway, "get_gateway", lambda: listed)
    return listed


def texts() -> list[str]:
    return [problem.text for problem in prove_money(now=clock.now()).problems]


def test_both_sides_agree(listed: Listed) -> None:
    findings = prove_money(now=clock.now())
    assert (findings.problems, findings.skipped) == ([], [])


def test_a_payment_that_stripe_does_not_list_is_found(listed: Listed) -> None:
    gone = listed.payments.pop(0)
    assert texts() == [f"payment {gone.attempt_id}: Stripe lists no paid {gone.id}"]


def test_money_that_stripe_took_and_we_did_not_credit_is_found(listed: Listed) -> None:
    unpaid = PaymentAttempt.objects.get(state=PaymentState.FAILED)
    listed.payments[-1] = payment_there(unpaid, status="succeeded")
    assert f"Stripe's payment {unpaid.stripe_payment_intent_id}: of 900 cents is paid, ours is failed" in texts()[0]


def test_another_amount_at_stripe_is_found(listed: Listed) -> None:
    paid = PaymentAttempt.objects.get(kind=PaymentKind.AUTOMATIC)
    listed.payments[1] = payment_there(paid, amount_cents=2001)
    assert "of 2001 cents is paid" in texts()[0]


def test_a_payment_in_our_name_that_is_not_ours_is_found(listed: Listed, tenant: TenantId) -> None:
    listed.payments.append(payment_there(forge_attempt(tenant), id="pi_x", status="succeeded"))
    assert texts() == ["Stripe's payment pi_x: names a payment that is not ours"]


def test_a_payment_of_something_else_is_none_of_ours(listed: Listed, tenant: TenantId) -> None:
    listed.payments.append(payment_there(forge_attempt(tenant), id="pi_x", status="succeeded", attempt_id=None))
    listed.refunds.append(refund_there(PaymentRefund.objects.all()[0], id="re_x", payment_intent_id="pi_x"))
    listed.disputes.append(dispute_there(PaymentDispute.objects.all()[0], id="dp_x", payment_intent_id="pi_x"))
    assert texts() == []


def test_a_payment_that_was_just_made_may_be_on_its_way(listed: Listed) -> None:
    unpaid = PaymentAttempt.objects.get(state=PaymentState.FAILED)
    listed.payments[-1] = payment_there(unpaid, status="succeeded", created_at=clock.now())
    assert texts() == []


def test_what_waits_in_the_inbox_is_on_its_way(listed: Listed) -> None:
    unpaid = PaymentAttempt.objects.get(state=PaymentState.FAILED)
    there = listed.payments[-1] = payment_there(unpaid, status="succeeded")
    now = clock.now()
    StripeEvent.objects.create(
        event_id="evt", type="x", livemode=False, object_id=there.id, payload={}, received_at=now, due_at=now
    )
    assert texts() == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"id": "re_x"}, "Stripe's refund re_x: succeeded there, unknown to us here"),
        ({"status": "failed"}, "failed there, succeeded here"),
        ({"amount_cents": 999}, "999 cents there, 10000000 micros here"),
    ],
)
def test_a_refund_that_differs_is_found(listed: Listed, changes: dict[str, Any], text: str) -> None:
    listed.refunds[0] = refund_there(PaymentRefund.objects.get(state=RefundState.SUCCEEDED), **changes)
    assert text in texts()[0]


def test_a_refund_that_stripe_does_not_list_is_found(listed: Listed) -> None:
    gone = listed.refunds.pop(0)
    assert texts() == [f"refund {gone.refund_row_id}: Stripe lists no {gone.id}"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"id": "dp_x"}, "Stripe's dispute dp_x: the money is gone there, unknown to us here"),
        ({"is_reinstated": True}, "the money is not gone there, withdrawn here"),
        ({"is_withdrawn": False}, "the money is not gone there, withdrawn here"),
    ],
)
def test_a_dispute_that_differs_is_found(listed: Listed, changes: dict[str, Any], text: str) -> None:
    listed.disputes[0] = dispute_there(PaymentDispute.objects.get(state=DisputeState.WITHDRAWN), **changes)
    assert text in texts()[0]


def test_a_silent_stripe_is_said_and_breaks_nothing(listed: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> Any:
        raise stripe_gateway.Ambiguous

    monkeypatch.setattr(listed, "iter_payments", fail)
    findings = prove_money(now=clock.now())
    assert (findings.problems, findings.skipped) == ([], ["Stripe's side: it does not answer (Ambiguous)"])


def read_anchors() -> list[str]:
    return sorted(default_storage.listdir(ANCHORS)[1])


def test_a_proof_keeps_the_heads_outside_once_a_day(tenant: TenantId) -> None:
    now = clock.now()
    for moment in (now, now, now + timedelta(days=1)):
        prove_money(now=moment)
    assert read_anchors() == [f"{day:%Y-%m-%d}.json" for day in (now, now + timedelta(days=1))]


def test_a_broken_house_is_not_anchored(tenant: TenantId) -> None:
    tamper("UPDATE billing_reserveaccount SET held_micros = 5")
    prove_money(now=clock.now())
    with pytest.raises(FileNotFoundError):
        read_anchors()


def test_a_history_rewritten_with_its_anchors_in_the_database_is_found(tenant: TenantId) -> None:
    prove_money(now=clock.now())
    rewrite_history(tenant)
    tamper(
        "UPDATE billing_ledgeranchor a SET hash = e.hash FROM billing_reserveledgerentry e"
        " WHERE e.account_id = a.account_id AND e.seq = a.seq"
    )
    [problem] = prove_money(now=clock.now()).problems
    assert problem.invariant is Invariant.BOOKS
    assert "is another one than when it was proved and kept elsewhere" in problem.text


def test_a_ledger_that_was_cut_with_its_anchors_is_found(tenant: TenantId) -> None:
    prove_money(now=clock.now())
    tamper(
        "DELETE FROM billing_usageevent",
        "DELETE FROM billing_ledgeranchor",
        "DELETE FROM billing_reserveledgerentry",
        "UPDATE billing_reserveaccount SET balance_micros = 0, last_seq = 0, last_hash = repeat('0', 64)",
    )
    assert any("has gone than when it was proved" in text for text in texts())


def test_the_ledger_may_grow_after_it_was_kept(tenant: TenantId) -> None:
    prove_money(now=clock.now())
    fund(tenant, 1)
    assert texts() == []


def test_anchors_that_cannot_be_read_are_a_problem(tenant: TenantId) -> None:
    prove_money(now=clock.now())
    name = f"{ANCHORS}/{read_anchors()[0]}"
    Path(default_storage.path(name)).write_text(json.dumps({"heads": [["x"]]}))
    assert texts() == [f"anchors {name}: cannot be read"]


def test_a_storage_that_is_away_is_said_and_breaks_nothing(tenant: TenantId, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> Any:
        raise OSError("away")

    monkeypatch.setattr(storage, "list_objects", fail)
    findings = prove_money(now=clock.now())
    assert not findings.problems
    assert findings.skipped[1:] == [
        "Anchors outside the database: the storage does not answer",
        "Anchors outside the database: today's could not be kept",
    ]


def test_the_command_lists_the_rules(tenant: TenantId) -> None:
    out, errors = StringIO(), StringIO()
    call_command("prove_money", stdout=out, stderr=errors)
    lines = out.getvalue().splitlines()
    assert lines[:2] == [
        "1. The books add up and nobody changed them: holds",
        "2. Only a reversal ends below the floor: holds",
    ]
    assert len(lines) == len(Invariant) + 1
    assert "The money holds: 1 accounts" in lines[-1]
    assert "NOT PROVED. Stripe's side: payments are not set up." in errors.getvalue()


def test_the_command_fails_with_the_first_broken_row(tenant: TenantId) -> None:
    tamper("UPDATE billing_paymentattempt SET amount_micros = 21000000 WHERE kind = 'automatic'")
    out = StringIO()
    with pytest.raises(CommandError, match=r"First: 3\. Each payment is one top-up: payment .* 21000000 was paid"):
        call_command("prove_money", "--grace-seconds", "5", stdout=out)
    assert "3. Each payment is one top-up: BROKEN, first in payment" in out.getvalue()
