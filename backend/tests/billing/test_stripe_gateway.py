"""The door to Stripe, against a server that speaks its API."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.conf import LazySettings
from django.db import transaction

from apps.billing import stripe_gateway
from apps.billing.payment_types import PaymentsNotSetUp
from apps.billing.stripe_gateway import Ambiguous, Gateway, Missing, Refused, Session, get_gateway
from apps.common import clock
from apps.common.ids import TenantId
from tests.stripe_world import StripeWorld


@pytest.fixture(autouse=True)
def _no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_gateway.client, "forbid_transaction", lambda: None)


@pytest.fixture
def gateway(stripe: StripeWorld) -> Gateway:
    assert stripe.url
    return get_gateway()


def make_customer(gateway: Gateway) -> str:
    return gateway.create_customer(tenant=TenantId(uuid4()), name="Ada", email="ada@example.org", key=f"c:{uuid4()}")


def open_session(gateway: Gateway, *, attempt_id: UUID | None = None, saves_card: bool = False) -> Session:
    return gateway.create_topup_session(
        attempt_id=attempt_id or uuid4(),
        customer_id=make_customer(gateway),
        amount_cents=2000,
        saves_card=saves_card,
        success_url="http://127.0.0.1:9/done?session_id={CHECKOUT_SESSION_ID}",
        cancel_url="http://127.0.0.1:9/back",
    )


def charge(gateway: Gateway, *, card: str = "pm_card_visa", attempt_id: UUID | None = None) -> stripe_gateway.Payment:
    return gateway.charge_card(
        attempt_id=attempt_id or uuid4(),
        customer_id=make_customer(gateway),
        payment_method_id=card,
        amount_cents=700,
    )


def test_without_a_key_there_is_no_gateway(settings: LazySettings) -> None:
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(PaymentsNotSetUp):
        get_gateway()


def test_a_customer_is_made_once_for_a_key(gateway: Gateway) -> None:
    ask = {"tenant": TenantId(uuid4()), "name": "Ada", "email": "ada@example.org", "key": "customer:1"}
    assert gateway.create_customer(**ask) == gateway.create_customer(**ask)  # type: ignore[arg-type]


def test_a_customer_without_a_name_sends_none(gateway: Gateway, stripe: StripeWorld) -> None:
    gateway.create_customer(tenant=TenantId(uuid4()), name="Ada", email="", key="customer:2")
    assert (stripe.objects("customer")[0]["name"], stripe.objects("customer")[0]["email"]) == ("Ada", None)


def test_the_default_card_comes_before_the_one_that_was_saved_last(gateway: Gateway, stripe: StripeWorld) -> None:
    customer = make_customer(gateway)
    assert gateway.get_saved_card(customer) is None
    first, last = (
        stripe.api("POST", f"/v1/payment_methods/{name}/attach", customer=customer)["id"]
        for name in ("pm_card_visa", "pm_card_mastercard")
    )
    saved = gateway.get_saved_card(customer)
    assert saved is not None
    assert saved.payment_method_id == last
    assert gateway.get_default_card(customer) is None
    stripe.api("POST", f"/v1/customers/{customer}", **{"invoice_settings[default_payment_method]": first})
    saved = gateway.get_saved_card(customer)
    assert saved is not None
    assert saved.payment_method_id == first
    assert gateway.is_attached(first)
    assert not gateway.is_attached("pm_unknown")


def test_a_customer_s_name_can_be_changed(gateway: Gateway, stripe: StripeWorld) -> None:
    gateway.update_customer(customer_id=make_customer(gateway), name="Grace", email="grace@example.org")
    assert stripe.objects("customer")[0]["name"] == "Grace"


def test_a_paid_session_leads_to_its_payment(gateway: Gateway, stripe: StripeWorld) -> None:
    attempt_id = uuid4()
    session = open_session(gateway, attempt_id=attempt_id, saves_card=True)
    assert (session.status, session.amount_cents, session.attempt_id) == ("open", 2000, attempt_id)
    stripe.pay(session.id)
    paid = gateway.get_session(session.id)
    payment = gateway.get_payment(paid.payment_intent_id)
    assert (paid.status, paid.payment_status) == ("complete", "paid")
    assert (payment.status, payment.amount_cents, payment.currency) == ("succeeded", 2000, "USD")
    assert (payment.attempt_id, payment.customer_id, payment.livemode) == (attempt_id, paid.customer_id, False)
    assert payment.saves_card
    assert payment.card is not None
    assert (payment.card.brand, payment.card.last4) == ("visa", "4242")
    assert gateway.get_saved_card(paid.customer_id) == payment.card


def test_a_session_and_a_payment_are_found_by_the_attempt(gateway: Gateway, stripe: StripeWorld) -> None:
    started = clock.now() - timedelta(seconds=5)
    attempt_id = uuid4()
    session = open_session(gateway, attempt_id=attempt_id)
    assert gateway.find_payment(attempt_id=attempt_id, since=started) is None
    stripe.pay(session.id)
    found = gateway.find_payment(attempt_id=attempt_id, since=started, customer_id=session.customer_id)
    assert found is not None
    assert found.attempt_id == attempt_id
    again = gateway.find_session(attempt_id=attempt_id, customer_id=session.customer_id)
    assert again is not None
    assert again.id == session.id
    assert gateway.find_session(attempt_id=uuid4(), customer_id=session.customer_id) is None


def test_an_expired_session_cannot_be_expired_again(gateway: Gateway) -> None:
    session = open_session(gateway)
    assert gateway.expire_session(session.id).status == "expired"
    with pytest.raises(Refused):
        gateway.expire_session(session.id)


def test_a_decline_names_the_payment_and_the_reason(gateway: Gateway) -> None:
    with pytest.raises(Refused) as refused:
        charge(gateway, card="pm_card_chargeDeclinedInsufficientFunds")
    assert (refused.value.code, refused.value.decline_code) == ("card_declined", "insufficient_funds")
    payment = gateway.get_payment(refused.value.payment_intent_id)
    assert (payment.status, payment.decline_code) == ("requires_payment_method", "insufficient_funds")
    assert payment.card is not None
    assert payment.card.last4 == "9995"


def test_a_question_of_the_bank_is_a_payment_with_an_address(gateway: Gateway, stripe: StripeWorld) -> None:
    stripe.turn(kind="requires_action")
    payment = charge(gateway)
    assert payment.status == "requires_action"
    assert payment.action_url.startswith("http")
    assert gateway.cancel_payment(payment.id).status == "canceled"


def test_a_charge_is_taken_once_for_an_attempt(gateway: Gateway, stripe: StripeWorld) -> None:
    attempt_id, customer = uuid4(), make_customer(gateway)
    ask = {"attempt_id": attempt_id, "customer_id": customer, "payment_method_id": "pm_card_visa", "amount_cents": 700}
    assert gateway.charge_card(**ask) == gateway.charge_card(**ask)  # type: ignore[arg-type]
    assert stripe.taken_cents() == 700


@pytest.mark.failure("N26", "M22")
@pytest.mark.parametrize(
    "knob",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 500, "effect": True},
        {"kind": "status", "status": 429},
        {"kind": "status", "status": 409},
        {"kind": "lost"},
        {"kind": "hang", "seconds": 3},
    ],
    ids=lambda knob: "-".join(str(value) for value in knob.values()),
)
def test_what_nobody_can_tell_is_ambiguous(
    gateway: Gateway, stripe: StripeWorld, settings: LazySettings, knob: dict[str, object]
) -> None:
    settings.STRIPE_TIMEOUT_SECONDS = 1
    stripe.turn(match="POST /v1/payment_intents", **knob)
    with pytest.raises(Ambiguous):
        charge(get_gateway())


@pytest.mark.failure("N26")
def test_a_server_that_is_away_is_ambiguous(stripe: StripeWorld, settings: LazySettings) -> None:
    assert stripe.url
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with pytest.raises(Ambiguous):
        get_gateway().get_payment("pi_1")


@pytest.mark.failure("M22")
def test_a_key_that_was_used_for_something_else_is_ambiguous(gateway: Gateway) -> None:
    attempt_id = uuid4()
    charge(gateway, attempt_id=attempt_id)
    with pytest.raises(Ambiguous):
        gateway.charge_card(
            attempt_id=attempt_id, customer_id="cus_x", payment_method_id="pm_card_visa", amount_cents=1
        )


def test_a_wrong_key_says_nothing_about_what_happened(gateway: Gateway, settings: LazySettings) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_wrong"
    with pytest.raises(Ambiguous):
        get_gateway().get_payment("pi_1")


def test_an_answer_that_makes_no_sense_is_ambiguous(gateway: Gateway, stripe: StripeWorld) -> None:
    payment = charge(gateway)
    stripe.world.store.save({**stripe.world.store.get("payment_intent", payment.id), "amount_received": "many"})
    with pytest.raises(Ambiguous):
        gateway.get_payment(payment.id)


def test_an_unknown_id_is_missing(gateway: Gateway) -> None:
    for ask in (gateway.get_session, gateway.get_payment, gateway.get_refund, gateway.get_dispute):
        with pytest.raises(Missing):
            ask("x_1")
    with pytest.raises(Missing):
        gateway.create_subscription_session(
            customer_id="cus_1", lookup_key="nothing", success_url="http://a", cancel_url="http://b", key="k"
        )


def test_refunds_are_found_by_our_row(gateway: Gateway) -> None:
    payment, row = charge(gateway), uuid4()
    refund = gateway.create_refund(refund_id=row, payment_intent_id=payment.id, amount_cents=200)
    assert (refund.amount_cents, refund.status, refund.refund_row_id) == (200, "succeeded", row)
    assert gateway.get_refund(refund.id) == refund
    assert gateway.find_refund(refund_row_id=row, payment_intent_id=payment.id) == refund
    assert gateway.find_refund(refund_row_id=uuid4(), payment_intent_id=payment.id) is None
    assert [*gateway.iter_refunds(since=refund.created_at)] == [refund]


def test_a_dispute_tells_what_the_money_did(gateway: Gateway, stripe: StripeWorld) -> None:
    payment = charge(gateway)
    dispute_id = stripe.dispute(payment.id)["id"]
    opened = gateway.get_dispute(dispute_id)
    assert (opened.is_withdrawn, opened.is_reinstated, opened.amount_cents) == (False, False, 700)
    assert opened.evidence_due_by is not None
    stripe.advance_dispute(dispute_id, "withdraw")
    assert gateway.get_dispute(dispute_id).is_withdrawn
    stripe.advance_dispute(dispute_id, "reinstate")
    [dispute] = gateway.list_disputes(payment.id)
    assert dispute.is_reinstated
    assert [*gateway.iter_disputes(since=dispute.created_at)] == [dispute]


def test_a_subscription_with_its_invoice(gateway: Gateway, stripe: StripeWorld) -> None:
    customer = make_customer(gateway)
    session = gateway.create_subscription_session(
        customer_id=customer,
        lookup_key="afterresume_starter_monthly",
        success_url="http://127.0.0.1:9/done",
        cancel_url="http://127.0.0.1:9/back",
        key="subscription:1",
    )
    stripe.pay(session.id)
    paid = gateway.get_session(session.id)
    subscription = gateway.get_subscription(paid.subscription_id)
    assert (subscription.status, subscription.price_lookup_key) == ("active", "afterresume_starter_monthly")
    assert subscription.period_end is not None
    assert [*gateway.iter_subscriptions(customer_id=customer)] == [subscription]
    [invoice] = gateway.iter_invoices(since=subscription.created_at)
    assert gateway.get_invoice(invoice.id) == invoice
    assert (invoice.status, invoice.subscription_id, invoice.amount_paid_cents) == ("paid", subscription.id, 900)
    assert sum(amount for _, amount in invoice.lines) == 900
    [payment] = gateway.iter_payments(since=subscription.created_at)
    assert gateway.pays_invoice(payment.id)


def test_the_portal_has_an_address(gateway: Gateway) -> None:
    url = gateway.create_portal_session(customer_id=make_customer(gateway), return_url="http://127.0.0.1:9/")
    assert "/portal/" in url


def test_a_list_is_read_to_its_end(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_gateway.client, "_PAGE", 2)
    started = clock.now() - timedelta(seconds=5)
    made = {charge(gateway).id for _ in range(5)}
    assert {payment.id for payment in gateway.iter_payments(since=started)} == made


def test_taxes_are_within_the_amount(gateway: Gateway, stripe: StripeWorld, settings: LazySettings) -> None:
    settings.STRIPE_AUTOMATIC_TAX = True
    assert open_session(gateway).amount_cents == 2000
    [session] = stripe.objects("checkout.session")
    assert session["automatic_tax"] == {"enabled": "true"}


@pytest.mark.django_db(transaction=True)
def test_no_call_happens_inside_a_transaction(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with transaction.atomic(), pytest.raises(transaction.TransactionManagementError):
        gateway.get_payment("pi_1")
