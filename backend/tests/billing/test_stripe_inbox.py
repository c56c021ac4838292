"""Stripe's messages: taken once, worked on by asking Stripe, whatever order they come in and however often."""

import json
import time
from datetime import timedelta
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth import get_user_model
from django.test import Client

from apps.billing.models import BillingProfile, PaymentAttempt, ReserveLedgerEntry, StripeEvent
from apps.billing.payment_types import CheckoutStarted, PaymentState, StripeEventState, UnknownEvent
from apps.billing.services.payments import handlers
from apps.billing.services.payments.checkout import start_topup
from apps.billing.services.payments.inbox import MAX_ATTEMPTS, purge_events, retry_event, work_events
from apps.common import clock, scopes
from apps.common.errors import Forbidden
from apps.common.states import WrongState
from apps.observability.models import AuditEvent
from apps.tenants.types import Actor
from devstack.standins.stripe.webhooks import signature_header
from tests.factories.accounts import make_actor, make_staff
from tests.factories.billing import get_account
from tests.stripe_world import WEBHOOK_PATH, WEBHOOK_SECRET, StripeWorld

pytestmark = pytest.mark.django_db

PAID = "payment_intent.succeeded"
COMPLETED = "checkout.session.completed"


@pytest.fixture
def actor(stripe: StripeWorld) -> Actor:
    assert stripe.url
    return make_actor()


def start(actor: Actor, *, key: str = "key") -> CheckoutStarted:
    return start_topup(actor=actor, amount_cents=2000, saves_card=False, request_key=key, now=clock.now())


def pay(actor: Actor, stripe: StripeWorld, *, key: str = "key") -> str:
    """A paid page of which nobody has told us; the payment's id."""
    payment: str = stripe.pay(start(actor, key=key).session_id)["payment_intent"]
    return payment


def work(*, after: timedelta = timedelta(0)) -> int:
    moment = clock.now() + after
    return work_events(clock=lambda: moment)


def read_balance(actor: Actor) -> int:
    return get_account(actor.tenant).balance_micros


def states() -> dict[str, str]:
    return dict(StripeEvent.objects.values_list("type", "state"))


@pytest.mark.parametrize("event_type", [PAID, COMPLETED])
def test_a_message_of_a_payment_becomes_a_credit(actor: Actor, stripe: StripeWorld, event_type: str) -> None:
    pay(actor, stripe)
    stripe.send_all(stripe.events(event_type))
    assert read_balance(actor) == 0
    assert work() == 1
    assert read_balance(actor) == 20_000_000
    assert states() == {event_type: StripeEventState.DONE}


@pytest.mark.failure("M02")
def test_the_same_message_twenty_times_has_one_effect(actor: Actor, stripe: StripeWorld) -> None:
    pay(actor, stripe)
    [event] = stripe.events(PAID)
    answers = [stripe.send(event) for _ in range(20)]
    assert [answer.json()["is_new"] for answer in answers] == [True] + [False] * 19
    assert {answer.status_code for answer in answers} == {200}
    assert work() == 1
    assert read_balance(actor) == 20_000_000


@pytest.mark.failure("M03")
def test_the_same_change_as_different_messages_has_one_effect(actor: Actor, stripe: StripeWorld) -> None:
    pay(actor, stripe)
    for number, event in enumerate([*stripe.events(PAID), *stripe.events(COMPLETED)] * 3):
        stripe.send({**event, "id": f"evt_copy_{number}"})
    assert work() == 6
    assert read_balance(actor) == 20_000_000
    assert ReserveLedgerEntry.objects.count() == 1


@pytest.mark.failure("M04")
def test_a_message_that_comes_again_after_the_inbox_was_emptied_has_no_second_effect(
    actor: Actor, stripe: StripeWorld
) -> None:
    pay(actor, stripe)
    stripe.send_all()
    work()
    assert purge_events(now=clock.now() + timedelta(days=29)) == 0
    assert purge_events(now=clock.now() + timedelta(days=31)) == StripeEvent.objects.count() + len(stripe.events())
    stripe.send_all()
    work()
    assert ReserveLedgerEntry.objects.count() == 1
    assert set(states().values()) == {StripeEventState.DONE, StripeEventState.IGNORED}


def sign(body: bytes, *, secret: str = WEBHOOK_SECRET, at: float | None = None, scheme: str = "v1") -> str:
    header = signature_header(body, secret=secret, timestamp=int(time.time() if at is None else at))
    return header.replace("v1=", f"{scheme}=")


def post(body: bytes, signature: str | None, **headers: str) -> Any:
    signed = {} if signature is None else {"Stripe-Signature": signature}
    return Client().post(WEBHOOK_PATH, body, content_type="application/json", headers={**signed, **headers})


EVENT = b'{"id": "evt_1", "type": "x", "livemode": false, "data": {"object": {"id": "secret-in-body"}}}'


@pytest.mark.failure("M05")
@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "t=1,v1=00",
        "nonsense",
        "t=x,v1=00",
        f"t={10**400},v1=00",
        "v1=ü",
        sign(EVENT, secret="whsec_wrong"),
        sign(EVENT, scheme="v0"),
        sign(EVENT + b" "),
    ],
    ids=["none", "empty", "short", "nonsense", "no-time", "huge-time", "no-ascii", "secret", "v0", "other-body"],
)
@pytest.mark.usefixtures("stripe")
def test_what_is_not_signed_by_stripe_is_refused_and_leaves_nothing(
    signature: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = post(EVENT, signature)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_signature")
    assert not StripeEvent.objects.exists()
    written = capfd.readouterr()
    assert "secret-in-body" not in written.out + written.err + answer.content.decode()


@pytest.mark.failure("M06")
@pytest.mark.parametrize(("age", "status"), [(301, 400), (290, 200)])
@pytest.mark.usefixtures("stripe")
def test_an_old_signature_is_refused(age: int, status: int) -> None:
    assert post(EVENT, sign(EVENT, at=time.time() - age)).status_code == status


@pytest.mark.failure("M05")
@pytest.mark.usefixtures("stripe")
def test_any_of_two_secrets_signs_while_one_is_replaced(settings: LazySettings) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_old", WEBHOOK_SECRET]
    assert post(EVENT, sign(EVENT)).status_code == 200
    settings.STRIPE_WEBHOOK_SECRETS = []
    assert post(EVENT, sign(EVENT)).status_code == 400


@pytest.mark.failure("M07")
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"1",
        b"{}",
        b'{"id": "", "type": "x", "livemode": false, "data": {"object": {}}}',
        b'{"id": 1, "type": "x", "livemode": false, "data": {"object": {}}}',
        b'{"id": "evt", "type": "x", "livemode": "no", "data": {"object": {}}}',
        b'{"id": "evt", "type": "x", "livemode": false, "data": {"object": []}}',
        b'{"id": "' + b"e" * 256 + b'", "type": "x", "livemode": false, "data": {"object": {}}}',
        b"[" * 100_000,
    ],
)
@pytest.mark.usefixtures("stripe")
def test_what_is_signed_but_no_message_is_refused(body: bytes) -> None:
    try:
        signature = sign(body)
    except UnicodeDecodeError:
        signature = ""
    assert post(body, signature).status_code == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.usefixtures("stripe")
def test_a_message_with_a_nul_in_it_is_kept_without() -> None:
    body = EVENT.replace(b"secret-in-body", b"a\\u0000b")
    assert post(body, sign(body)).status_code == 200
    assert StripeEvent.objects.get().payload["data"]["object"]["id"] == "ab"


@pytest.mark.failure("M08")
@pytest.mark.usefixtures("stripe")
def test_what_is_too_large_is_refused_before_it_is_read() -> None:
    class Unread(bytes):
        def __len__(self) -> int:
            return 0

    answer = Client().generic(
        "POST", WEBHOOK_PATH, Unread(), content_type="application/json", CONTENT_LENGTH=str(10 * 1024 * 1024)
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    for length in ("", "-1", "many", str(512 * 1024 + 1)):
        assert Client().generic("POST", WEBHOOK_PATH, b"x", CONTENT_LENGTH=length).status_code == 413


@pytest.mark.failure("M08")
@pytest.mark.usefixtures("stripe")
def test_a_compressed_body_is_not_unpacked() -> None:
    assert post(b"\x1f\x8b\x08", "t=1,v1=00", **{"Content-Encoding": "gzip"}).status_code == 400


@pytest.mark.usefixtures("stripe")
def test_the_address_takes_posts_alone_and_asks_for_no_token() -> None:
    assert Client().get(WEBHOOK_PATH).status_code == 405
    assert (
        Client(enforce_csrf_checks=True)
        .post(WEBHOOK_PATH, EVENT, content_type="application/json", headers={"Stripe-Signature": sign(EVENT)})
        .status_code
        == 200
    )


def test_unknown_kinds_are_kept_and_ignored(actor: Actor, stripe: StripeWorld) -> None:
    assert actor
    stripe.send({**json.loads(EVENT), "type": "something.new"})
    assert work() == 1
    assert states() == {"something.new": StripeEventState.IGNORED}
    assert work(after=timedelta(days=1)) == 0


@pytest.mark.failure("M10")
def test_a_message_of_the_other_mode_is_parked_for_good(actor: Actor, stripe: StripeWorld) -> None:
    pay(actor, stripe)
    [event] = stripe.events(PAID)
    assert stripe.send({**event, "livemode": True}).status_code == 200
    assert work(after=timedelta(days=1)) == 0
    assert states() == {PAID: StripeEventState.PARKED}
    with pytest.raises(WrongState):
        retry_event(actor=make_staff(), event_row_id=StripeEvent.objects.get().id, now=clock.now())
    assert read_balance(actor) == 0


@pytest.mark.failure("M10")
def test_a_payment_whose_metadata_names_a_payment_of_another_tenant_credits_nobody(
    actor: Actor, stripe: StripeWorld
) -> None:
    victim = start(make_actor())
    mallory = stripe.api("POST", "/v1/customers", email="m@example.org")["id"]
    start(actor, key="mine")
    for customer in (mallory, stripe.objects("customer")[-1]["id"]):
        stripe.charge(customer, attempt_id=victim.attempt_id)
    stripe.send_all(stripe.events(PAID))
    work()
    assert {*StripeEvent.objects.values_list("state", flat=True)} == {StripeEventState.PARKED}
    assert not ReserveLedgerEntry.objects.exists()


@pytest.mark.failure("M10", "M27")
@pytest.mark.parametrize(
    "change", [{"amount_received": 1999}, {"currency": "eur"}, {"currency": "jpy"}, {"livemode": True}]
)
def test_a_payment_that_is_not_what_was_asked_for_is_parked(
    actor: Actor, stripe: StripeWorld, change: dict[str, object]
) -> None:
    payment_id = pay(actor, stripe)
    stripe.world.store.save({**stripe.world.store.get("payment_intent", payment_id), **change})
    stripe.send_all([*stripe.events(PAID), *stripe.events(COMPLETED)])
    work()
    assert {*StripeEvent.objects.values_list("state", flat=True)} == {StripeEventState.PARKED}
    assert not ReserveLedgerEntry.objects.exists()
    assert PaymentAttempt.objects.get().state == PaymentState.OPEN


@pytest.mark.failure("M10")
def test_messages_about_strangers_are_parked(actor: Actor, stripe: StripeWorld) -> None:
    assert actor
    customer = stripe.api("POST", "/v1/customers", email="m@example.org")["id"]
    paid = stripe.charge(customer)
    stripe.refund(paid["id"], amount_cents=500)
    stripe.dispute(paid["id"])
    stripe.send_all(stripe.events("payment_intent.*", "charge.refunded", "refund.*", "charge.dispute.*"))
    work()
    parked = StripeEvent.objects.exclude(state=StripeEventState.IGNORED)
    assert {(event.type, event.state) for event in parked} == {
        (event_type, StripeEventState.PARKED)
        for event_type in (PAID, "charge.refunded", "refund.created", "charge.dispute.created")
    }


@pytest.mark.failure("M09")
@pytest.mark.parametrize(
    "order", list(permutations(range(4))), ids=lambda order: "".join(str(number) for number in order)
)
def test_a_life_in_any_order_ends_in_the_same_books(actor: Actor, stripe: StripeWorld, order: tuple[int, ...]) -> None:
    payment_id = pay(actor, stripe)
    stripe.refund(payment_id, amount_cents=500)
    dispute_id = stripe.dispute(payment_id, amount_cents=1500)["id"]
    stripe.advance_dispute(dispute_id, "withdraw")
    life = stripe.events(COMPLETED, PAID, "refund.created", "charge.dispute.funds_withdrawn")
    assert len(life) == 4
    for number in order:
        stripe.send_all([life[number]])
        work()
    assert set(states().values()) == {StripeEventState.DONE}
    amounts = sorted(ReserveLedgerEntry.objects.values_list("kind", "amount_micros"))
    assert amounts == [("dispute_withdrawn", -15_000_000), ("refund", -5_000_000), ("topup", 20_000_000)]


def test_a_message_that_fails_comes_again_ever_more_seldom_until_a_person_is_called(
    actor: Actor, stripe: StripeWorld
) -> None:
    pay(actor, stripe)
    stripe.send_all(stripe.events(PAID))
    stripe.turn(kind="status", status=500, match="GET /v1/payment_intents", times=None)
    assert (work(), work()) == (1, 0)
    event = StripeEvent.objects.get()
    assert (event.state, event.attempts) == (StripeEventState.FAILED, 1)
    assert work(after=timedelta(seconds=11)) == 1
    assert work(after=timedelta(seconds=22)) == 0
    worked = sum(work(after=timedelta(hours=2 * hour)) for hour in range(1, 30))
    assert worked == MAX_ATTEMPTS - 2
    event.refresh_from_db()
    assert (event.state, event.due_at) == (StripeEventState.PARKED, None)
    assert event.last_error.startswith("Ambiguous")


def test_staff_have_a_parked_message_worked_on_again(actor: Actor, stripe: StripeWorld) -> None:
    pay(actor, stripe)
    stripe.send_all(stripe.events(PAID))
    StripeEvent.objects.update(state=StripeEventState.PARKED, due_at=None, attempts=MAX_ATTEMPTS)
    event, staff = StripeEvent.objects.get(), make_staff()
    with pytest.raises(Forbidden):
        retry_event(actor=actor, event_row_id=event.id, now=clock.now())
    with pytest.raises(UnknownEvent):
        retry_event(actor=staff, event_row_id=actor.user_id, now=clock.now())
    retry_event(actor=staff, event_row_id=event.id, now=clock.now())
    assert work() == 1
    assert read_balance(actor) == 20_000_000
    assert AuditEvent.objects.filter(action="stripe_event.retried", actor_id=staff.user_id).count() == 1


def test_what_was_parked_long_ago_is_emptied(actor: Actor, stripe: StripeWorld) -> None:
    pay(actor, stripe)
    stripe.send({**stripe.events(PAID)[0], "livemode": True})
    assert purge_events(now=clock.now() + timedelta(days=89)) == 0
    assert [purge_events(now=clock.now() + timedelta(days=91)) for _ in range(2)] == [1, 0]
    assert StripeEvent.objects.get().payload == {}


def test_a_round_ends_when_its_time_is_over(actor: Actor, stripe: StripeWorld) -> None:
    pay(actor, stripe)
    stripe.send_all()
    started = clock.now()
    moments = iter([started, *(started + timedelta(seconds=20 * step) for step in range(1, 20))])
    assert 1 <= work_events(clock=lambda: next(moments)) < len(stripe.events())


def test_one_poisoned_message_does_not_hold_the_others_up(
    actor: Actor, stripe: StripeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay(actor, stripe)

    def explode(*_: object) -> None:
        raise RuntimeError("poison")

    monkeypatch.setitem(handlers._HANDLERS, COMPLETED, explode)
    stripe.send_all(stripe.events(COMPLETED, PAID))
    assert work() == 2
    assert states() == {COMPLETED: StripeEventState.FAILED, PAID: StripeEventState.DONE}
    assert read_balance(actor) == 20_000_000


@pytest.mark.failure("M39")
def test_a_worker_who_comes_back_late_does_not_say_how_it_ended(
    actor: Actor, stripe: StripeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay(actor, stripe)
    stripe.send_all(stripe.events(PAID))
    original = handlers._handle_payment

    def be_slow(payment_id: str, at: Any) -> None:
        monkeypatch.setitem(handlers._HANDLERS, PAID, original)
        # The lease runs out, and another worker takes the message up.
        assert work(after=timedelta(minutes=11)) == 1
        raise RuntimeError(payment_id, at)

    monkeypatch.setitem(handlers._HANDLERS, PAID, be_slow)
    assert work() == 1
    assert states() == {PAID: StripeEventState.DONE}
    assert read_balance(actor) == 20_000_000


@pytest.mark.failure("M26")
@pytest.mark.parametrize(("succeeds", "micros"), [(True, 20_000_000), (False, 0)])
def test_a_payment_that_takes_days_is_credited_when_it_has_arrived(
    actor: Actor, stripe: StripeWorld, *, succeeds: bool, micros: int
) -> None:
    session_id = start(actor).session_id
    stripe.pay(session_id, card="pm_card_processing")
    stripe.send_all()
    work()
    assert read_balance(actor) == 0
    stripe.settle(session_id, succeeds=succeeds)
    stripe.send_all()
    work()
    assert read_balance(actor) == micros
    expected = PaymentState.SUCCEEDED if succeeds else PaymentState.FAILED
    assert PaymentAttempt.objects.get().state == expected


def test_a_page_that_ran_out_ends_its_payment(actor: Actor, stripe: StripeWorld) -> None:
    session_id = start(actor).session_id
    stripe.api("POST", f"/v1/checkout/sessions/{session_id}/expire")
    stripe.send_all()
    work()
    assert PaymentAttempt.objects.get().state == PaymentState.CANCELED


@pytest.mark.failure("M45")
def test_a_payment_of_a_tenant_that_everybody_has_left_is_credited_with_an_alarm(
    actor: Actor, stripe: StripeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    pay(actor, stripe)
    get_user_model().objects.filter(pk=actor.user_id).update(is_active=False)
    stripe.send_all(stripe.events(PAID))
    work()
    assert read_balance(actor) == 20_000_000
    assert states() == {PAID: StripeEventState.DONE}
    assert "payment.without_owner" in caplog.text


def test_a_card_that_was_taken_away_is_forgotten(actor: Actor, stripe: StripeWorld) -> None:
    started = start_topup(actor=actor, amount_cents=2000, saves_card=True, request_key="k", now=clock.now())
    stripe.pay(started.session_id)
    stripe.send_all()
    work()
    profile = get_profile(actor)
    assert profile.card_last4 == "4242"
    stripe.api("POST", f"/v1/payment_methods/{profile.payment_method_id}/detach")
    stripe.send_all()
    work()
    assert (get_profile(actor).payment_method_id, get_profile(actor).card_last4) == ("", "")


def test_a_card_that_was_made_the_default_is_kept(actor: Actor, stripe: StripeWorld) -> None:
    start(actor)
    customer = str(get_profile(actor).stripe_customer_id)
    card = stripe.api("POST", "/v1/payment_methods/pm_card_mastercard/attach", customer=customer)["id"]
    stripe.api("POST", f"/v1/customers/{customer}", **{"invoice_settings[default_payment_method]": card})
    stripe.send_all()
    work()
    assert (get_profile(actor).payment_method_id, get_profile(actor).card_brand) == (card, "mastercard")


def get_profile(actor: Actor) -> BillingProfile:
    return BillingProfile.objects.get(tenant_id=actor.tenant)


def test_the_worker_opens_the_rows_that_it_needs_by_itself(actor: Actor, stripe: StripeWorld) -> None:
    payment_id = pay(actor, stripe)
    stripe.refund(payment_id, amount_cents=500)
    stripe.send_all()
    with scopes.edge():
        assert work_events(clock=clock.now) == len(stripe.events())
    assert read_balance(actor) == 15_000_000


def test_a_worker_takes_no_more_than_its_share(actor: Actor, stripe: StripeWorld) -> None:
    pay(actor, stripe)
    stripe.send_all()
    limited = partial(work_events, clock=clock.now, limit=2)
    assert limited() == 2
