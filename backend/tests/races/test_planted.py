"""Our own tests have teeth: with a protection taken away, the same race that passes otherwise is told apart.

Each plant is a mistake that somebody could make. What notices it may be the database, the answers that callers get, or
the proof; what must not happen is that nobody does.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection, transaction

from apps.billing import stripe_gateway
from apps.billing.models import PaymentAttempt, ReserveAccount, ReserveHold
from apps.billing.payment_types import PaymentState
from apps.billing.services import accounts, holds, settlement
from apps.billing.services.ledger import EntryDraft
from apps.billing.services.payments import fulfilment, inbox
from apps.billing.services.proof import Findings, check_payments, prove_ledger
from apps.billing.types import EntryView, HoldNotOpen, HoldView, InsufficientReserve, Settlement
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from tests.factories.billing import NOW, make_hold, make_payment, make_reserve, publish_prices, settle
from tests.races.test_billing import classes, run_together
from tests.races.test_payments import CENT, there

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

Patch = pytest.MonkeyPatch
EVENT: Final = stripe_gateway.Event(
    id="evt_1", type="payment_intent.succeeded", livemode=False, object_id="pi_1", payload={}
)


@pytest.fixture(autouse=True)
def _set_up(settings: LazySettings) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_planted"
    publish_prices()


def run_sql(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def without(index: str, table: str) -> Iterator[None]:
    """A unique key is gone; afterwards its table is empty and the key is back."""
    [(definition,)] = run_sql(f"SELECT indexdef FROM pg_indexes WHERE indexname = '{index}'")  # noqa: S608
    is_constraint = run_sql(f"SELECT 1 FROM pg_constraint WHERE conname = '{index}'")  # noqa: S608
    run_sql(f"ALTER TABLE {table} DROP CONSTRAINT {index}" if is_constraint else f"DROP INDEX {index}")
    try:
        yield
    finally:
        call_command("flush", verbosity=0, interactive=False)
        run_sql(definition)
        if is_constraint:
            run_sql(f"ALTER TABLE {table} ADD CONSTRAINT {index} UNIQUE USING INDEX {index}")


def complain(results: Sequence[Any], *, expected: dict[type, int]) -> list[str]:
    """What callers should not have been told, and what does not prove."""
    complaints = [] if classes(results) == Counter(expected) else [f"answers: {classes(results)}"]
    proof = prove_ledger(now=NOW)
    complaints += [proof.first_broken] if not proof.is_ok else []
    return complaints + [str(problem) for problem in check_payments(Findings())]


def race_reports_of_a_payment() -> list[str]:
    """Webhook, return page and janitor tell of the same payment."""
    attempt = make_payment(make_reserve(), 100 * CENT, state=PaymentState.OPEN)
    results = run_together([lambda: fulfilment.fulfil_payment(payment=there(attempt), now=NOW)] * 4)
    return complain(results, expected={EntryView: 4})


def race_spends() -> list[str]:
    """More calls than there is money for."""
    tenant = make_reserve(funds=300)
    return complain(run_together([lambda: make_hold(tenant, 100)] * 8), expected={HoldView: 3, InsufficientReserve: 5})


def race_settlements() -> list[str]:
    """One call is settled by several workers."""
    hold = make_hold(make_reserve(funds=300), 100)
    return complain(run_together([lambda: settle(hold, 60)] * 4), expected={Settlement: 1, HoldNotOpen: 3})


def race_deliveries() -> list[str]:
    """One message is delivered several times."""
    results = run_together([lambda: inbox.receive_event(event=EVENT, now=NOW)] * 4)
    return [] if sorted(results) == [False, False, False, True] else [f"taken in as {results}"]


SCENARIOS = [race_reports_of_a_payment, race_spends, race_settlements, race_deliveries]


@pytest.mark.parametrize("race", SCENARIOS)
def test_without_a_plant_there_is_no_complaint(race: Callable[[], list[str]]) -> None:
    assert race() == []


def credit_each_report(patch: Patch) -> None:
    """The key of the entry names the report instead of the payment."""

    def draft(**fields: Any) -> EntryDraft:
        return EntryDraft(**{**fields, "idempotency_key": str(uuid7())})

    patch.setattr(fulfilment, "EntryDraft", draft)


@pytest.mark.failure("M01", "M03")
def test_a_payment_without_its_unique_key_is_noticed(monkeypatch: Patch) -> None:
    credit_each_report(monkeypatch)
    with without("billing_entry_payment", "billing_reserveledgerentry"):
        assert race_reports_of_a_payment() != []


@pytest.mark.failure("M01", "M03")
def test_a_payment_credited_twice_behind_all_rules_is_found_by_the_proof(monkeypatch: Patch) -> None:
    credit_each_report(monkeypatch)
    monkeypatch.setattr(fulfilment, "_write_down", pay_in_silence)
    with without("billing_entry_payment", "billing_reserveledgerentry"):
        complaints = race_reports_of_a_payment()
    assert any("100" in text and "4 entries credit" in text for text in complaints), complaints


def pay_in_silence(account: ReserveAccount, attempt: PaymentAttempt, payment: Any, **_: Any) -> None:
    """Marks the payment as paid and leaves out all that would tell."""
    paid = {"state": PaymentState.SUCCEEDED, "stripe_payment_intent_id": payment.id, "closed_at": NOW}
    PaymentAttempt.objects.filter(pk=attempt.pk).exclude(state=PaymentState.SUCCEEDED).update(**paid)


@pytest.mark.failure("M13")
def test_a_reserve_without_its_lock_is_noticed(monkeypatch: Patch) -> None:
    def read(*, tenants: Sequence[TenantId]) -> dict[TenantId, ReserveAccount]:
        found = ReserveAccount.objects.filter(tenant_id__in=tenants).order_by("id")
        return {TenantId(account.tenant_id): account for account in found}

    monkeypatch.setattr(accounts, "lock_accounts", read)
    assert race_spends() != []


@pytest.mark.failure("M12")
def test_a_call_that_is_settled_twice_is_noticed(monkeypatch: Patch) -> None:
    def take(*, account: ReserveAccount, hold_id: Any) -> ReserveHold:
        return ReserveHold.objects.get(account=account, pk=hold_id)

    def close(*, account: ReserveAccount, hold: ReserveHold, to: Any, now: Any) -> None:
        ReserveHold.objects.filter(pk=hold.pk).update(state=to, closed_at=now)
        account.held_micros -= hold.amount_micros

    for module in (holds, settlement):
        monkeypatch.setattr(module, "get_open_hold", take)
        monkeypatch.setattr(module, "close_hold", close)
    assert race_settlements() != []


@pytest.mark.failure("M02")
def test_an_inbox_that_takes_a_message_twice_is_noticed() -> None:
    [(name,)] = run_sql(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'billing_stripeevent'::regclass AND contype = 'u'"
    )
    with without(name, "billing_stripeevent"):
        assert race_deliveries() != []


@pytest.mark.failure("M41")
def test_a_balance_that_moves_without_an_entry_is_noticed() -> None:
    tenant = make_reserve(funds=300)

    def steal() -> None:
        with transaction.atomic():
            ReserveAccount.objects.filter(tenant_id=tenant).update(balance_micros=301)

    assert complain(run_together([steal]), expected={type(None): 1}) != []
