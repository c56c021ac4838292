"""What PostgreSQL itself refuses about payments, whoever asks: the role that services run as, and the tables' owner."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from apps.billing.models import DocumentSeries, PaymentAttempt, PaymentDispute, PaymentRefund
from apps.billing.payment_types import (
    PAYMENT_STATES,
    UNFINISHED,
    DisputeState,
    PaymentKind,
    PaymentState,
    RefundState,
)
from apps.common.tenancy import TenantId
from tests.billing.raw import (
    forge_attempt,
    forge_document,
    forge_entry,
    insert,
    move_account,
    refused,
    run,
    update,
)
from tests.factories.billing import (
    NOW,
    get_account,
    make_dispute,
    make_payment,
    make_refund,
    make_reserve,
    turn_auto_topup_on,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_role")]


@pytest.fixture(params=["runtime", "owner"])
def _role(request: pytest.FixtureRequest, settings: LazySettings) -> Iterator[None]:
    if request.param == "runtime":
        run(f"SET LOCAL ROLE {settings.DATABASE_RUNTIME_ROLE}")
    yield
    if request.param == "runtime":
        run("RESET ROLE")


@pytest.fixture
def tenant() -> TenantId:
    return make_reserve(funds=1000)


@contextmanager
def refused_at_commit(match: str) -> Iterator[None]:
    """Expects a rule that waits for the commit to say no, with these words."""
    with refused(match):
        yield
        connection.check_constraints()


def credit(tenant: TenantId, payment: PaymentAttempt, **changes: Any) -> None:
    """An entry for a payment as a forger writes it, with the account moved along."""
    values = {"payment_intent_id": payment.stripe_payment_intent_id, "amount_micros": payment.amount_micros}
    entry = forge_entry(tenant, **{**values, **changes})
    insert(entry)
    move_account(entry)


@pytest.mark.failure("M41")
def test_a_payment_that_is_paid_without_an_entry_is_refused(tenant: TenantId) -> None:
    with refused_at_commit("is paid and has 0 entries"):
        insert(forge_attempt(tenant, state="succeeded"))


@pytest.mark.failure("M41")
def test_a_payment_that_becomes_paid_without_an_entry_is_refused(tenant: TenantId) -> None:
    make_payment(tenant, state=PaymentState.OPEN)
    with refused_at_commit("is paid and has 0 entries"):
        update("paymentattempt", "state = 'succeeded', closed_at = now()")


def test_an_entry_without_a_payment_is_refused(tenant: TenantId) -> None:
    with refused_at_commit("is not a payment of ours"):
        credit(tenant, forge_attempt(tenant, state="succeeded"))


@pytest.mark.parametrize("state", [*UNFINISHED, PaymentState.FAILED, PaymentState.CANCELED])
def test_an_entry_for_a_payment_that_is_not_paid_is_refused(tenant: TenantId, state: PaymentState) -> None:
    payment = make_payment(tenant, state=state)
    with refused_at_commit("is not a payment of ours"):
        credit(tenant, payment)


@pytest.mark.failure("M27")
@pytest.mark.parametrize("micros", [499, 501])
def test_an_entry_of_another_amount_than_its_payment_is_refused(tenant: TenantId, micros: int) -> None:
    payment = forge_attempt(tenant, state="succeeded")
    with refused_at_commit("is not a payment of ours|has 0 entries"):
        insert(payment)
        credit(tenant, payment, amount_micros=micros)


def test_an_entry_of_another_kind_than_its_payment_is_refused(tenant: TenantId) -> None:
    payment = forge_attempt(tenant, state="succeeded")
    with refused_at_commit("is not a payment of ours|has 0 entries"):
        insert(payment)
        credit(tenant, payment, kind="auto_topup", payment_intent_id=payment.stripe_payment_intent_id)


@pytest.mark.failure("M10")
def test_an_entry_in_another_reserve_than_its_payment_is_refused(tenant: TenantId) -> None:
    payment = forge_attempt(tenant, state="succeeded")
    with refused_at_commit("is not a payment of ours|has 0 entries"):
        insert(payment)
        credit(make_reserve(), payment)


def test_a_payment_with_its_entry_is_accepted(tenant: TenantId) -> None:
    payment = forge_attempt(tenant, state="succeeded")
    insert(payment)
    credit(tenant, payment)
    connection.check_constraints()


@pytest.mark.failure("M27")
@pytest.mark.parametrize(
    "change",
    [
        "amount_micros = 501",
        "request_key = 'other'",
        "kind = 'automatic'",
        "created_at = created_at + interval '1 month'",
        "id = gen_random_uuid()",
    ],
)
def test_what_was_asked_for_does_not_change(tenant: TenantId, change: str) -> None:
    make_payment(tenant, state=PaymentState.OPEN)
    with refused("what was asked for does not change"):
        update("paymentattempt", change)


@pytest.mark.failure("M10")
def test_a_payment_does_not_change_its_tenant(tenant: TenantId) -> None:
    make_payment(tenant, state=PaymentState.OPEN)
    other = get_account(make_reserve())
    with refused("what was asked for does not change"):
        update("paymentattempt", f"tenant_id = '{other.tenant_id}', account_id = '{other.id}'")


@pytest.mark.parametrize("column", ["stripe_session_id", "stripe_payment_intent_id"])
@pytest.mark.parametrize("value", ["'other'", "NULL"])
def test_a_payment_keeps_the_stripe_object_that_it_has(tenant: TenantId, column: str, value: str) -> None:
    insert(forge_attempt(tenant, stripe_session_id="cs_1", stripe_payment_intent_id="pi_1"))
    with refused("keeps the Stripe object"):
        update("paymentattempt", f"{column} = {value}")


FORBIDDEN = [
    (before, after)
    for before in PaymentState
    for after in PaymentState
    if before != after and not PAYMENT_STATES.allows(before, after)
]


@pytest.mark.parametrize(("before", "after"), FORBIDDEN)
def test_a_payment_moves_only_as_its_table_says(tenant: TenantId, before: PaymentState, after: PaymentState) -> None:
    make_payment(tenant, state=before)
    closed_at = "NULL" if after in UNFINISHED else "now()"
    with refused(f"{before} does not become {after}"):
        update("paymentattempt", f"state = '{after}', closed_at = {closed_at}")


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("billing_attempt_amount", {"amount_micros": 0}),
        ("billing_attempt_amount", {"amount_micros": 10**15 + 1}),
        ("billing_attempt_currency", {"currency": "EUR"}),
        ("billing_attempt_kind", {"kind": "gift"}),
        ("billing_attempt_state|billing_attempt_closed", {"state": "odd"}),
        ("billing_attempt_closed", {"closed_at": NOW}),
        ("billing_attempt_closed", {"state": "failed", "closed_at": None}),
        ("billing_attempt_paid_by", {"state": "succeeded", "stripe_payment_intent_id": None}),
    ],
)
@pytest.mark.failure("M27", "M29")
def test_a_payment_that_breaks_a_rule_is_refused(tenant: TenantId, rule: str, change: dict[str, Any]) -> None:
    with refused(rule):
        insert(forge_attempt(tenant, **change))


@pytest.mark.parametrize("column", ["stripe_session_id", "stripe_payment_intent_id"])
def test_an_object_of_stripe_belongs_to_one_payment(tenant: TenantId, column: str) -> None:
    insert(forge_attempt(tenant, **{column: "one"}))
    with refused(column):
        insert(forge_attempt(make_reserve(), **{column: "one"}))


def test_a_request_makes_one_payment(tenant: TenantId) -> None:
    insert(forge_attempt(tenant, request_key="k"))
    with refused("billing_attempt_request"):
        insert(forge_attempt(tenant, request_key="k"))


@pytest.mark.failure("M16")
@pytest.mark.parametrize("state", UNFINISHED)
def test_a_second_open_automatic_payment_is_refused(tenant: TenantId, state: PaymentState) -> None:
    make_payment(tenant, kind=PaymentKind.AUTOMATIC, state=state)
    with refused("billing_attempt_one_automatic"):
        insert(forge_attempt(tenant, kind="automatic"))


@pytest.mark.failure("M21")
@pytest.mark.parametrize(("micros", "is_refused"), [(500, False), (501, True)])
def test_automatic_payments_of_a_month_stay_within_the_cap(tenant: TenantId, micros: int, is_refused: bool) -> None:
    turn_auto_topup_on(tenant, cap=1000, amount_micros=500)
    for state, amount in (("failed", 900), ("canceled", 900), ("open", 500)):
        insert(forge_attempt(tenant, kind="automatic", state=state, amount_micros=amount))
    update("paymentattempt", "state = 'ambiguous' WHERE state = 'open'")
    attempt = forge_attempt(tenant, kind="automatic", amount_micros=micros, state="failed")
    if is_refused:
        with refused("beyond the monthly cap"):
            insert(attempt)
    else:
        insert(attempt)


def test_the_payments_of_last_month_do_not_count(tenant: TenantId) -> None:
    turn_auto_topup_on(tenant, cap=1000, amount_micros=500)
    insert(forge_attempt(tenant, kind="automatic", amount_micros=900, created_at=NOW.replace(month=2), state="open"))
    update("paymentattempt", "state = 'failed', closed_at = now()")
    insert(forge_attempt(tenant, kind="automatic", amount_micros=1000))


@pytest.mark.failure("M20")
@pytest.mark.parametrize("change", [{"state": "suspended"}, {"state": "needs_customer"}, {"is_on": False}])
def test_no_automatic_payment_begins_while_the_machine_stands(tenant: TenantId, change: dict[str, Any]) -> None:
    turn_auto_topup_on(tenant, **change)
    with refused("no automatic top-up may be tried"):
        insert(forge_attempt(tenant, kind="automatic"))


def test_no_automatic_payment_begins_that_nobody_wished_for(tenant: TenantId) -> None:
    with refused("no automatic top-up may be tried"):
        insert(forge_attempt(tenant, kind="automatic"))


@pytest.mark.failure("M25")
def test_more_than_a_payment_is_never_taken_back(tenant: TenantId) -> None:
    payment = make_payment(tenant, 500)
    make_refund(payment, 300)
    with refused_at_commit("501 was taken back of 500"):
        make_dispute(payment, 201)


@pytest.mark.failure("M23", "M25")
def test_what_came_back_may_be_taken_again(tenant: TenantId) -> None:
    payment = make_payment(tenant, 500)
    make_refund(payment, 500, state=RefundState.FAILED)
    make_dispute(payment, 500, state=DisputeState.REINSTATED)
    make_refund(payment, 500)
    connection.check_constraints()


def test_a_payment_that_is_not_paid_has_nothing_to_take_back(tenant: TenantId) -> None:
    payment = make_payment(tenant, 500, state=PaymentState.FAILED)
    with refused_at_commit("1 was taken back of 0"):
        make_refund(payment, 1)


CHANGES: list[tuple[Callable[..., Any], str]] = [
    (make_refund, "UPDATE billing_paymentrefund SET clawed_back_micros = 299"),
    (make_refund, "UPDATE billing_paymentrefund SET state = 'failed'"),
    (make_dispute, "UPDATE billing_paymentdispute SET clawed_back_micros = 299"),
    (make_dispute, "UPDATE billing_paymentdispute SET state = 'reinstated'"),
]


@pytest.mark.failure("M23", "M25")
@pytest.mark.parametrize(("make", "statement"), CHANGES)
def test_refunds_and_disputes_that_differ_from_the_ledger_are_refused(
    tenant: TenantId, make: Callable[..., Any], statement: str
) -> None:
    make(make_payment(tenant, 500), 300)
    connection.check_constraints()
    with refused_at_commit("was taken back, the ledger says 300"):
        run(statement)


ROWS: list[tuple[type[PaymentRefund | PaymentDispute], dict[str, Any]]] = [
    (PaymentRefund, {"stripe_refund_id": "re_1", "state": "succeeded"}),
    (PaymentDispute, {"stripe_dispute_id": "dp_1", "state": "withdrawn", "stripe_status": "x"}),
]


@pytest.mark.parametrize(("model", "values"), ROWS)
def test_a_clawback_without_its_entry_is_refused(tenant: TenantId, model: Any, values: dict[str, Any]) -> None:
    payment = make_payment(tenant, 500)
    common = {"tenant_id": tenant, "attempt": payment, "created_at": NOW, "updated_at": NOW}
    with refused_at_commit("300 was taken back, the ledger says 0"):
        insert(model(amount_micros=300, clawed_back_micros=300, **common, **values))


@pytest.mark.parametrize(
    ("match", "change"),
    [
        ("is not a refund of ours", {"kind": "refund", "refund_id": "re_x", "amount_micros": -5}),
        ("is not a refund of ours", {"kind": "refund_reversed", "refund_id": "re_x", "amount_micros": 5}),
        (
            "is not a dispute of ours",
            {"kind": "dispute_withdrawn", "dispute_id": "x", "dispute_phase": "withdrawn", "amount_micros": -5},
        ),
        (
            "is not a dispute of ours",
            {"kind": "dispute_reinstated", "dispute_id": "x", "dispute_phase": "reinstated", "amount_micros": 5},
        ),
    ],
)
def test_an_entry_without_its_refund_or_dispute_is_refused(
    tenant: TenantId, match: str, change: dict[str, Any]
) -> None:
    with refused_at_commit(match):
        entry = forge_entry(tenant, **change)
        insert(entry)
        move_account(entry)


def test_a_refund_that_has_not_failed_gives_nothing_back(tenant: TenantId) -> None:
    refund = make_refund(make_payment(tenant, 500), 300)
    connection.check_constraints()
    with refused_at_commit("is not a refund of ours"):
        entry = forge_entry(tenant, kind="refund_reversed", refund_id=refund.stripe_refund_id, amount_micros=300)
        insert(entry)
        move_account(entry)


@pytest.mark.failure("M40")
@pytest.mark.parametrize(
    "table", ["paymentattempt", "paymentrefund", "paymentdispute", "autotopup", "billingdocument", "documentseries"]
)
def test_nothing_of_a_payment_is_removed(tenant: TenantId, table: str) -> None:
    payment = make_payment(tenant)
    make_refund(payment, 1)
    make_dispute(payment, 1)
    turn_auto_topup_on(tenant)
    issue(tenant)
    connection.check_constraints()
    with refused("Cannot (update|delete)|permission denied"):
        run(f"DELETE FROM billing_{table}")  # noqa: S608
    with refused("cannot be truncated|permission denied"):
        run(f"TRUNCATE billing_{table} CASCADE")


def issue(tenant: TenantId, number: int = 1, **changes: Any) -> None:
    """The next document of the series of receipts, as a service issues it."""
    DocumentSeries.objects.get_or_create(prefix="R")
    update("documentseries", f"last_number = {number} WHERE prefix = 'R'")
    insert(forge_document(tenant, number, **changes))


def test_numbers_of_documents_follow_each_other(tenant: TenantId) -> None:
    for number in (1, 2, 3):
        issue(tenant, number)
    connection.check_constraints()


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_document_has_the_next_number(tenant: TenantId, number: int) -> None:
    for known in (1, 2):
        issue(tenant, known)
    with refused("is not the next number"):
        insert(forge_document(tenant, number))


def test_a_number_is_on_one_document(tenant: TenantId) -> None:
    issue(tenant)
    with refused("billing_document_number"):
        insert(forge_document(tenant, 1))


def test_a_subject_has_one_document(tenant: TenantId) -> None:
    issue(tenant, subject="pi_1")
    with refused("billing_document_subject"):
        issue(tenant, 2, subject="pi_1")


@pytest.mark.parametrize("change", ["last_number = 0", "last_number = 3", "prefix = 'X'", "last_number = 1"])
def test_a_series_only_counts_one_by_one(tenant: TenantId, change: str) -> None:
    issue(tenant)
    with refused("counts one by one"):
        update("documentseries", change)


def test_a_series_begins_at_zero() -> None:
    with refused("counts one by one"):
        insert(DocumentSeries(prefix="X", last_number=5))


def test_a_number_that_is_on_no_document_is_refused(tenant: TenantId) -> None:
    issue(tenant)
    with refused_at_commit("number 2 of R is on no document"):
        update("documentseries", "last_number = 2")


def test_a_document_stays_as_it_was_issued(tenant: TenantId) -> None:
    issue(tenant)
    with refused("Cannot update|permission denied"):
        update("billingdocument", "amount_micros = 1")
