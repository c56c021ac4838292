"""Plans by subscription: the plan is what Stripe says, whatever is told in which order."""

import pytest

from apps.billing.models import BillingAuditLog, BillingDocument, BillingProfile, ReserveLedgerEntry, StripeEvent
from apps.billing.payment_types import AlreadySubscribed, PaymentUnavailable, StripeEventState, Suspicious
from apps.billing.services.payments import subscriptions
from apps.billing.services.payments.customers import start_portal
from apps.billing.services.payments.inbox import work_events
from apps.billing.services.payments.subscriptions import refresh_subscription, start_subscription
from apps.billing.types import PlanTier
from apps.common import clock
from apps.common.errors import Forbidden, Invalid
from apps.tenants.types import Actor, Role
from tests.factories.accounts import make_actor
from tests.stripe_world import StripeWorld

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor(stripe: StripeWorld) -> Actor:
    assert stripe.url
    return make_actor()


def subscribe(actor: Actor, stripe: StripeWorld, *, plan: PlanTier = PlanTier.STARTER, key: str = "key") -> str:
    """A paid subscription of which we have not been told; its id."""
    session_id = start_subscription(actor=actor, plan=plan, request_key=key, now=clock.now()).session_id
    subscription: str = stripe.pay(session_id)["subscription"]
    return subscription


def tell(stripe: StripeWorld, *types: str) -> None:
    stripe.send_all(stripe.events(*types) if types else None)
    work_events(clock=clock.now)


def get_profile(actor: Actor) -> BillingProfile:
    return BillingProfile.objects.get(tenant_id=actor.tenant)


def test_a_paid_subscription_gives_its_plan_and_an_invoice(actor: Actor, stripe: StripeWorld) -> None:
    subscription_id = subscribe(actor, stripe, plan=PlanTier.PROFESSIONAL)
    tell(stripe)
    profile = get_profile(actor)
    assert (profile.plan, profile.subscription_status) == (PlanTier.PROFESSIONAL, "active")
    assert (profile.stripe_subscription_id, profile.cancels_at_period_end) == (subscription_id, False)
    assert profile.period_end is not None
    document = BillingDocument.objects.get()
    assert (document.kind, document.amount_micros) == ("invoice", 29_000_000)
    assert BillingAuditLog.objects.get(action="billing.plan_changed").after == {"plan": "professional"}


def test_nothing_of_a_subscription_enters_the_reserve(actor: Actor, stripe: StripeWorld) -> None:
    subscribe(actor, stripe)
    [payment] = stripe.objects("payment_intent")
    stripe.refund(payment["id"], amount_cents=100)
    stripe.advance_dispute(stripe.dispute(payment["id"], amount_cents=100)["id"], "withdraw")
    tell(stripe)
    assert not ReserveLedgerEntry.objects.exists()
    assert not StripeEvent.objects.filter(state__in=[StripeEventState.PARKED, StripeEventState.FAILED]).exists()


@pytest.mark.failure("M09")
def test_the_plan_follows_stripe_and_not_the_order_of_messages(actor: Actor, stripe: StripeWorld) -> None:
    subscription_id = subscribe(actor, stripe)
    stripe.api("POST", f"/v1/subscriptions/{subscription_id}", cancel_at_period_end="true")
    told = stripe.events("customer.subscription.*", "invoice.*")
    stripe.send_all(told[::-1])
    work_events(clock=clock.now)
    assert (get_profile(actor).plan, get_profile(actor).cancels_at_period_end) == (PlanTier.STARTER, True)


def test_a_subscription_that_ends_takes_its_plan_along(actor: Actor, stripe: StripeWorld) -> None:
    subscription_id = subscribe(actor, stripe)
    tell(stripe)
    stripe.api("DELETE", f"/v1/subscriptions/{subscription_id}")
    # The news of its beginning, told again, do not bring it back.
    stripe.send({**stripe.events("customer.subscription.created")[0], "id": "evt_late"})
    tell(stripe)
    profile = get_profile(actor)
    assert (profile.plan, profile.stripe_subscription_id, profile.subscription_status) == (PlanTier.FREE, None, "")


def test_a_renewal_that_cannot_be_paid_keeps_the_plan_while_stripe_tries_again(
    actor: Actor, stripe: StripeWorld
) -> None:
    subscription_id = subscribe(actor, stripe)
    stripe.turn(kind="declined")
    stripe.control("POST", f"subscriptions/{subscription_id}/renew")
    tell(stripe)
    assert (get_profile(actor).plan, get_profile(actor).subscription_status) == (PlanTier.STARTER, "past_due")
    assert BillingDocument.objects.count() == 1


def test_each_renewal_is_an_invoice(actor: Actor, stripe: StripeWorld) -> None:
    subscription_id = subscribe(actor, stripe)
    stripe.control("POST", f"subscriptions/{subscription_id}/renew")
    tell(stripe)
    for event in stripe.events("invoice.paid"):
        stripe.send({**event, "id": f"{event['id']}_again"})
    work_events(clock=clock.now)
    assert [*BillingDocument.objects.order_by("number").values_list("number", flat=True)] == [1, 2]


def test_a_second_subscription_is_refused(actor: Actor, stripe: StripeWorld) -> None:
    subscribe(actor, stripe)
    with pytest.raises(AlreadySubscribed):
        subscribe(actor, stripe, key="other")


def test_a_plan_by_agreement_is_not_taken_away(actor: Actor, stripe: StripeWorld) -> None:
    customer_id = stripe.api("POST", "/v1/customers", email="a@example.org")["id"]
    BillingProfile.objects.filter(tenant_id=actor.tenant).update(
        plan=PlanTier.ENTERPRISE, stripe_customer_id=customer_id
    )
    refresh_subscription(customer_id=customer_id, clock=clock.now)
    assert get_profile(actor).plan == PlanTier.ENTERPRISE


def test_a_price_that_is_no_plan_of_ours_changes_nothing(actor: Actor, stripe: StripeWorld) -> None:
    subscription_id = subscribe(actor, stripe)
    subscription = stripe.world.store.get("subscription", subscription_id)
    subscription["items"]["data"][0]["price"]["lookup_key"] = "something_else"
    stripe.world.store.save(subscription)
    with pytest.raises(Suspicious):
        refresh_subscription(customer_id=subscription["customer"], clock=clock.now)
    assert get_profile(actor).plan == PlanTier.FREE


def test_a_stranger_s_subscription_is_parked(actor: Actor, stripe: StripeWorld) -> None:
    subscribe(actor, stripe)
    BillingProfile.objects.update(stripe_customer_id="cus_other")
    tell(stripe, "customer.subscription.*", "invoice.*", "checkout.*", "customer.updated")
    assert {*StripeEvent.objects.values_list("state", flat=True)} == {StripeEventState.PARKED}


def test_what_somebody_else_has_written_meanwhile_is_not_overwritten_by_older_news(
    actor: Actor, stripe: StripeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription_id = subscribe(actor, stripe)
    customer_id = str(get_profile(actor).stripe_customer_id)
    choose = subscriptions._choose
    read: list[object] = []

    def be_overtaken(found: object) -> object:
        chosen = choose(found)  # type: ignore[arg-type]
        if not read:
            read.append(chosen)
            stripe.api("DELETE", f"/v1/subscriptions/{subscription_id}")
            BillingProfile.objects.update(updated_at=clock.now())
        return chosen

    monkeypatch.setattr(subscriptions, "_choose", be_overtaken)
    refresh_subscription(customer_id=customer_id, clock=clock.now)
    assert get_profile(actor).plan == PlanTier.FREE


def test_only_owners_subscribe_and_open_the_portal(actor: Actor) -> None:
    member = make_actor(tenant=actor.tenant, role=Role.MEMBER)
    with pytest.raises(Forbidden):
        start_subscription(actor=member, plan=PlanTier.STARTER, request_key="key", now=clock.now())
    with pytest.raises(Forbidden):
        start_portal(actor=member, now=clock.now())


@pytest.mark.parametrize("plan", [PlanTier.FREE, PlanTier.ENTERPRISE])
def test_a_plan_without_a_price_cannot_be_subscribed_to(actor: Actor, plan: PlanTier) -> None:
    with pytest.raises(Invalid):
        start_subscription(actor=actor, plan=plan, request_key="key", now=clock.now())


def test_a_price_that_is_not_set_up_is_unavailable(actor: Actor, stripe: StripeWorld) -> None:
    for price in stripe.objects("price"):
        stripe.world.store.save({**price, "lookup_key": "old"})
    with pytest.raises(PaymentUnavailable):
        start_subscription(actor=actor, plan=PlanTier.STARTER, request_key="key", now=clock.now())


def test_stripe_learns_to_whom_its_invoices_go(actor: Actor, stripe: StripeWorld) -> None:
    start_portal(actor=actor, now=clock.now())
    BillingProfile.objects.update(billing_name="Acme Ltd", billing_email="money@example.org")
    start_portal(actor=actor, now=clock.now())
    [customer] = stripe.objects("customer")
    assert (customer["name"], customer["email"]) == ("Acme Ltd", "money@example.org")
    stripe.turn(kind="status", status=400, match="POST /v1/customers/")
    with pytest.raises(PaymentUnavailable):
        start_portal(actor=actor, now=clock.now())


def test_the_portal_belongs_to_the_tenant_s_customer(actor: Actor, stripe: StripeWorld) -> None:
    assert "/portal/" in start_portal(actor=actor, now=clock.now())
    [session] = stripe.objects("billing_portal.session")
    assert session["customer"] == get_profile(actor).stripe_customer_id
    stripe.turn(kind="status", status=400, match="POST /v1/billing_portal")
    with pytest.raises(PaymentUnavailable):
        start_portal(actor=actor, now=clock.now())
