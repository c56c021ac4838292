"""Billing settings and corrections by staff over HTTP."""

from typing import Any

import pytest

from apps.accounts.types import TokenKind
from apps.billing.models import BillingAuditLog, BillingProfile, ReserveAccount, ReserveLedgerEntry
from apps.billing.payment_types import AutoTopupState
from apps.common import clock
from apps.common.ids import uuid7
from apps.common.money import MAX_ABS_MICROS
from apps.tenants.types import Actor, Role
from tests.api_client import anonymous, client_for, with_key
from tests.factories.accounts import make_actor, make_staff
from tests.factories.billing import fund, get_account, make_payment, make_refund, publish_prices, turn_auto_topup_on

pytestmark = pytest.mark.django_db

PROFILE = "/api/billing/profile/"
ADJUST = "/api/billing/admin/reserve/adjust/"
RESUME = "/api/billing/auto-topup/resume/"


def test_an_owner_sets_threshold_and_mail() -> None:
    wish = {"low_balance_threshold_micros": 5, "billing_email": "money@example.org"}
    answer = client_for(make_actor()).patch(PROFILE, wish)
    assert answer.status_code == 200
    assert wish.items() <= answer.json().items()


def test_a_member_may_read_but_not_change_settings() -> None:
    member = make_actor(tenant=make_actor().tenant, role=Role.MEMBER)
    assert client_for(member).get(PROFILE).status_code == 200
    answer = client_for(member).patch(PROFILE, {"low_balance_threshold_micros": 5})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    "wish",
    [
        {"low_balance_threshold_micros": -1},
        {"low_balance_threshold_micros": MAX_ABS_MICROS + 1},
        {"low_balance_threshold_micros": "NaN"},
        {"policy": "generous"},
        {"billing_email": "nobody"},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(wish: dict[str, Any]) -> None:
    answer = client_for(make_actor()).patch(PROFILE, wish)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, list(wish))


def test_what_a_customer_may_not_set_is_ignored() -> None:
    actor = make_actor()
    wish = {"plan": "enterprise", "stripe_customer_id": "cus_1", "balance_micros": 10**9, "floor_micros": -(10**9)}
    assert client_for(actor).patch(PROFILE, wish).json()["plan"] == "free"
    account = get_account(actor.tenant)
    assert (account.balance_micros, account.floor_micros) == (0, -5_000_000)


def adjust(staff: Actor, **wish: Any) -> Any:
    return client_for(staff).post(ADJUST, {"reason": "Goodwill", **wish}, **with_key("k1"))


@pytest.mark.parametrize(("amount", "micros"), [({"amount_cents": 420}, 4_200_000), ({"amount_micros": -7}, -7)])
def test_staff_adjust_a_reserve_by_cents_or_micros(amount: dict[str, int], micros: int) -> None:
    tenant = make_actor().tenant
    answer = adjust(make_staff(), tenant=tenant, **amount)
    assert answer.status_code == 201
    assert (answer.json()["amount_micros"], answer.json()["balance_after_micros"]) == (micros, micros)
    assert get_account(tenant).balance_micros == micros


@pytest.mark.failure("M44")
def test_a_repeated_adjustment_gets_the_first_answer() -> None:
    tenant, staff = make_actor().tenant, make_staff()
    first = adjust(staff, tenant=tenant, amount_cents=100)
    again = adjust(staff, tenant=tenant, amount_cents=100)
    assert (again.status_code, again.json(), again["Idempotent-Replayed"]) == (201, first.json(), "true")
    assert ReserveLedgerEntry.objects.filter(tenant_id=tenant).count() == 1


@pytest.mark.failure("M15")
def test_the_same_key_with_another_amount_is_a_conflict() -> None:
    tenant, staff = make_actor().tenant, make_staff()
    adjust(staff, tenant=tenant, amount_cents=100)
    answer = adjust(staff, tenant=tenant, amount_cents=101)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_mismatch")


def test_an_adjustment_needs_a_key() -> None:
    answer = client_for(make_staff()).post(ADJUST, {"tenant": make_actor().tenant, "amount_cents": 1, "reason": "x"})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["Idempotency-Key"])


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"amount_cents": 1, "amount_micros": 1}, "amount_micros"),
        ({}, "amount_micros"),
        ({"amount_micros": 0}, "amount_micros"),
        ({"amount_micros": 1.5}, "amount_micros"),
        ({"amount_cents": 10**12}, "amount_cents"),
        ({"amount_cents": 1, "reason": " "}, "reason"),
        ({"amount_cents": 1, "tenant": "mine"}, "tenant"),
    ],
)
def test_an_adjustment_that_makes_no_sense_is_refused(wish: dict[str, Any], field: str) -> None:
    answer = adjust(make_staff(), **{"tenant": make_actor().tenant, **wish})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


def test_an_adjustment_below_the_floor_is_a_conflict() -> None:
    answer = adjust(make_staff(), tenant=make_actor().tenant, amount_micros=-5_000_001)
    assert (answer.status_code, answer.json()["code"]) == (409, "below_floor")


def test_an_unknown_tenant_is_not_found() -> None:
    assert adjust(make_staff(), tenant=uuid7(), amount_cents=1).status_code == 404


def test_only_staff_adjust() -> None:
    owner = make_actor()
    assert anonymous().post(ADJUST, {}).status_code == 401
    assert adjust(owner, tenant=owner.tenant, amount_cents=1).status_code == 403
    assert not BillingAuditLog.objects.exists()


def save_card(owner: Actor) -> None:
    BillingProfile.objects.filter(tenant_id=owner.tenant).update(
        stripe_customer_id=f"cus_{owner.user_id.hex}",
        payment_method_id="pm_1",
        card_brand="visa",
        card_last4="4242",
        card_exp_month=4,
        card_exp_year=2030,
    )


def test_what_stands_on_receipts_is_set_and_audited() -> None:
    owner = make_actor()
    wish = {"billing_name": "Ada Ltd", "billing_address": "1 Road\nLondon", "tax_id": "GB1"}
    assert wish.items() <= client_for(owner).patch(PROFILE, wish).json().items()
    row = BillingAuditLog.objects.get(tenant_id=owner.tenant)
    assert (row.action, row.after) == ("billing.edited", wish)
    assert client_for(owner).patch(PROFILE, {"billing_name": ""}).json()["billing_name"] == ""


@pytest.mark.parametrize(
    "wish",
    [
        {"billing_name": "x" * 201},
        {"billing_address": "x" * 501},
        {"tax_id": "x" * 65},
        {"billing_name": None},
        {"billing_name": "a\u0000b"},
        {"auto_topup": "on"},
        {"auto_topup": None},
    ],
)
def test_details_that_make_no_sense_are_refused(wish: dict[str, Any]) -> None:
    answer = client_for(make_actor()).patch(PROFILE, wish)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, list(wish))


def test_an_owner_with_a_card_turns_automatic_topups_on() -> None:
    owner = make_actor()
    save_card(owner)
    wish = {"is_on": True, "threshold_micros": 2_000_000, "amount_micros": 30_000_000, "monthly_cap_micros": 60_000_000}
    answer = client_for(owner).patch(PROFILE, {"auto_topup": wish}).json()
    assert wish.items() <= answer["auto_topup"].items()
    assert answer["saved_card"] == {"brand": "visa", "last4": "4242", "exp_month": 4, "exp_year": 2030}


def test_without_a_card_there_is_no_automatic_topup_and_nothing_else_is_changed() -> None:
    owner = make_actor()
    answer = client_for(owner).patch(PROFILE, {"tax_id": "GB1", "auto_topup": {"is_on": True}})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_saved_card")
    assert BillingProfile.objects.get(tenant_id=owner.tenant).tax_id == ""


@pytest.mark.failure("M27")
@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"amount_micros": 1}, "amount_micros"),
        ({"amount_micros": 20_000_001}, "amount_micros"),
        ({"amount_micros": -1}, "amount_micros"),
        ({"threshold_micros": 10**18}, "threshold_micros"),
        ({"monthly_cap_micros": "NaN"}, "monthly_cap_micros"),
        ({"is_on": "perhaps"}, "is_on"),
    ],
)
def test_an_automatic_topup_that_makes_no_sense_is_refused(wish: dict[str, Any], field: str) -> None:
    owner = make_actor()
    save_card(owner)
    answer = client_for(owner).patch(PROFILE, {"auto_topup": wish})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [f"auto_topup.{field}"])


def test_automatic_topups_need_a_person_in_a_session() -> None:
    program = client_for(make_actor(), kind=TokenKind.PERSONAL)
    answer = program.patch(PROFILE, {"auto_topup": {"is_on": False}})
    assert (answer.status_code, answer.json()["code"]) == (403, "session_required")
    assert program.patch(PROFILE, {"tax_id": "GB1"}).status_code == 200
    assert program.post(RESUME).json()["code"] == "session_required"


def test_a_stopped_machine_is_resumed_by_its_owner_once() -> None:
    owner = make_actor()
    save_card(owner)
    turn_auto_topup_on(owner.tenant, state=AutoTopupState.SUSPENDED)
    answer = client_for(owner).post(RESUME)
    assert (answer.status_code, answer.json()["state"]) == (200, "idle")
    again = client_for(owner).post(RESUME)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    member = make_actor(tenant=owner.tenant, role=Role.MEMBER)
    assert client_for(member).post(RESUME).status_code == 403


def test_plans_with_their_prices() -> None:
    publish_prices()
    plans = {plan["plan"]: plan for plan in client_for(make_actor()).get("/api/billing/plans/").json()}
    assert [plan for plan, shown in plans.items() if shown["can_subscribe"]] == ["starter", "professional"]
    assert (plans["free"]["is_current"], plans["free"]["rate_card"]) == (True, "Free v1")
    assert plans["free"]["lines"][0] == {
        "meter": "llm.tokens",
        "model_pattern": "plain-model",
        "token_class": "input",
        "unit_size": 1_000_000,
        "price_micros": 1_000_000,
        "is_free": False,
    }


def test_a_subscription_that_runs_is_shown_and_leaves_nothing_to_subscribe_to() -> None:
    owner, end = make_actor(), clock.now()
    BillingProfile.objects.filter(tenant_id=owner.tenant).update(
        plan="starter", stripe_subscription_id="sub_1", subscription_status="active", period_end=end
    )
    client = client_for(owner)
    shown = client.get(PROFILE).json()["subscription"]
    assert (shown["status"], shown["cancels_at_period_end"]) == ("active", False)
    assert not any(plan["can_subscribe"] for plan in client.get("/api/billing/plans/").json())
    BillingProfile.objects.filter(tenant_id=owner.tenant).update(subscription_status="canceled")
    assert client.get(PROFILE).json()["subscription"] is None


@pytest.mark.parametrize(
    ("balance", "account", "notice"),
    [
        (2_000_000, {}, ""),
        (500_000, {}, "low"),
        (0, {}, "empty"),
        (0, {"policy": "block"}, "empty"),
        (-5_000_000, {}, "stopped"),
    ],
)
def test_the_status_bar_says_which_notice_fits(balance: int, account: dict[str, str], notice: str) -> None:
    owner = make_actor()
    fund(owner.tenant, 1_000_000)
    adjust(make_staff(), tenant=owner.tenant, amount_micros=balance - 1_000_000)
    ReserveAccount.objects.filter(tenant_id=owner.tenant).update(**account)
    bar = client_for(owner).get("/api/status/bar/").json()
    assert (bar["notice"], bar["is_stopped"]) == (notice, False)


def test_a_reserve_that_was_never_used_is_not_used_up() -> None:
    assert client_for(make_actor()).get("/api/status/bar/").json()["notice"] == ""


def test_a_payment_that_was_taken_back_stops_the_reserve() -> None:
    owner = make_actor()
    payment = make_payment(owner.tenant, 3_000_000)
    adjust(make_staff(), tenant=owner.tenant, amount_micros=-2_000_000)
    make_refund(payment, 3_000_000)
    client = client_for(owner)
    bar, profile = client.get("/api/status/bar/").json(), client.get(PROFILE).json()
    assert (bar["notice"], bar["is_stopped"]) == ("stopped", True)
    assert (profile["debt_micros"], profile["is_stopped"]) == (2_000_000, True)
