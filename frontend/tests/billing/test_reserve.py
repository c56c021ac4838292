"""The reserve's page: how it stands, and the owner's settings."""

import pytest
from django.test import Client

from apps.backend.billing import BillingProfile
from apps.backend.pages import read
from apps.billing.forms import reserve_values
from tests.fakes import money_shapes as money
from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.identity import refuse

PAGE = "/billing/settings/"
SENT = {"threshold": "2.50", "policy": "block", "billing_email": "money@example.com"}
AUTO = {"is_on": "on", "threshold": "5", "amount": "20", "monthly_cap": "100"}


def page_of(client: Client) -> str:
    return client.get(PAGE).content.decode()


def test_balance_available_and_held_are_told_exactly(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.balance = shapes.balance(balance_micros=4_199_628, held_micros=40_000)
    page = page_of(signed_in)
    for told in ("$4.199628", "$4.16", "$0.04", "Healthy", "Starter v1", "Work goes on a little below zero"):
        assert told in page


def test_a_policy_that_is_not_known_is_shown_by_its_name(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.balance = shapes.balance(policy="gentle")
    fake_backend.billing_profile["is_policy_fixed"] = True
    assert "gentle" in page_of(signed_in)


def test_members_see_the_settings_but_no_form(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.profiles["ada"]["role"] = "member"
    assert "Save settings" not in page_of(signed_in)
    assert "Owners of the tenant can change this." in page_of(signed_in)


def test_the_owner_sets_the_threshold_in_dollars(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.post(PAGE, SENT, follow=True)
    assert response.redirect_chain == [(PAGE, 302)]
    assert fake_backend.billing_profile["low_balance_threshold_micros"] == 2_500_000
    assert fake_backend.billing_profile["policy"] == "block"
    assert "settings are saved" in response.content.decode()


@pytest.mark.parametrize("threshold", ["", "much", "-1", "0.001"])
def test_an_amount_that_is_none_is_said_beside_the_field(signed_in: Client, threshold: str) -> None:
    response = signed_in.post(PAGE, SENT | {"threshold": threshold})
    assert response.status_code == 400
    assert response.context["form"].errors["threshold"]
    assert "money@example.com" in response.content.decode()


@pytest.mark.parametrize(("status", "code"), [(400, "invalid"), (403, "forbidden"), (503, "unavailable")])
def test_a_refusal_keeps_what_was_typed(signed_in: Client, fake_backend: FakeBackend, status: int, code: str) -> None:
    fields = {"low_balance_threshold_micros": ["Too high."]} if status == 400 else {}
    fake_backend.answer_with("PATCH", "/api/billing/profile/", refuse(status, code, "No.", fields))
    response = signed_in.post(PAGE, SENT)
    assert response.status_code == status
    assert 'value="2.50"' in response.content.decode()
    assert ("Too high." in response.content.decode()) is (status == 400)


def test_without_a_backend_what_was_typed_is_shown_without_figures(
    signed_in: Client, fake_backend: FakeBackend
) -> None:
    fake_backend.stop()
    response = signed_in.post(PAGE, SENT)
    assert response.status_code == 503
    assert "The figures cannot be read at the moment." in response.content.decode()
    assert 'value="2.50"' in response.content.decode()


def test_a_dead_token_leads_to_sign_in(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.tokens.clear()
    assert signed_in.post(PAGE, SENT).headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(("micros", "text"), [(1_000_000, "1.00"), (1_234_567, "1.234567")])
def test_a_threshold_is_never_rounded_behind_the_owners_back(micros: int, text: str) -> None:
    profile = read(BillingProfile, money.profile(low_balance_threshold_micros=micros))
    assert str(reserve_values(profile)["threshold"]) == text


def test_how_long_it_lasts_is_told(signed_in: Client, fake_backend: FakeBackend) -> None:
    assert "23 days" in page_of(signed_in)
    fake_backend.billing_profile["runway"] = {"days": 986_812, "daily_micros": 5}
    assert "over a year" in page_of(signed_in)
    fake_backend.billing_profile["runway"] = {"days": None, "daily_micros": 0}
    assert "nothing was used of late" in page_of(signed_in)


def test_what_a_reversal_left_below_zero_is_told(signed_in: Client, fake_backend: FakeBackend) -> None:
    assert 'id="debt"' not in page_of(signed_in)
    fake_backend.billing_profile["debt_micros"] = 1_500_000
    assert "$1.50" in page_of(signed_in)
    assert "spending stops until the balance is back at zero" in page_of(signed_in)


def test_a_policy_that_staff_have_fixed_is_told_and_not_sent(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.billing_profile["is_policy_fixed"] = True
    page = page_of(signed_in)
    assert 'name="policy"' not in page
    assert "This was agreed with the staff" in page
    sent = {name: value for name, value in SENT.items() if name != "policy"}
    assert signed_in.post(PAGE, sent).status_code == 302
    assert "policy" not in fake_backend.calls_of("PATCH", "/api/billing/profile/")[0].body


def test_a_policy_that_was_fixed_meanwhile_is_refused_in_the_form(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.billing_profile["is_policy_fixed"] = True
    response = signed_in.post(PAGE, SENT)
    assert response.status_code == 403
    assert "Staff chose this policy." in response.content.decode()


# --- Automatic top-up


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"is_on": False}, "It needs a saved card"),
        ({"state": "idle"}, "When less than $5.00 is available, $20.00 is charged"),
        ({"state": "attempting"}, "The card is being charged at this moment."),
        ({"state": "cooling", "last_decline_code": "expired_card", "cooling_until": shapes.instant()}, "has expired"),
        ({"state": "suspended", "last_decline_code": "odd_reason"}, "odd reason"),
        ({"state": "needs_customer"}, "wants you to confirm a charge"),
    ],
)
def test_each_state_of_the_automatic_top_up_says_what_to_do(
    signed_in: Client, fake_backend: FakeBackend, changes: dict[str, object], told: str
) -> None:
    fake_backend.billing_profile["auto_topup"] |= {"is_on": True} | changes
    page = page_of(signed_in)
    assert told in page
    can_try_again = changes.get("state") in {"cooling", "suspended", "needs_customer"}
    assert ('id="resume-auto-topup"' in page) is can_try_again


def test_what_was_charged_this_month_is_told_against_the_cap(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.billing_profile["auto_topup"] |= {"is_on": True, "spent_this_month_micros": 40_000_000}
    assert "This month $40.00 of at most $100.00" in page_of(signed_in)


def test_the_owner_switches_it_on_with_amounts_in_dollars(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.billing_profile["saved_card"] = money.saved_card()
    response = signed_in.post("/billing/auto-topup/", AUTO | {"threshold": "7.50"}, follow=True)
    assert "The automatic top-up is saved." in response.content.decode()
    auto = fake_backend.billing_profile["auto_topup"]
    assert (auto["is_on"], auto["threshold_micros"], auto["amount_micros"]) == (True, 7_500_000, 20_000_000)
    assert "to the card ending in 4242" in response.content.decode()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"threshold": "much"}, "threshold"),
        ({"amount": "0"}, "amount"),
        ({"amount": ""}, "amount"),
        ({"monthly_cap": "10"}, "monthly_cap"),
        ({"monthly_cap": "-1"}, "monthly_cap"),
    ],
)
def test_amounts_that_make_no_sense_are_said_beside_their_field(
    signed_in: Client, fake_backend: FakeBackend, wrong: dict[str, str], field: str
) -> None:
    response = signed_in.post("/billing/auto-topup/", AUTO | wrong)
    assert response.status_code == 400
    assert list(response.context["auto_form"].errors) == [field]
    assert fake_backend.calls_of("PATCH", "/api/billing/profile/") == []


def test_without_a_saved_card_it_stays_off_and_says_why(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.post("/billing/auto-topup/", AUTO)
    assert response.status_code == 409
    assert "There is no saved card yet." in response.content.decode()
    assert not fake_backend.billing_profile["auto_topup"]["is_on"]


def test_what_the_backend_refuses_stands_beside_the_field(signed_in: Client, fake_backend: FakeBackend) -> None:
    refused = refuse(400, "invalid", "Please check.", {"auto_topup.amount_micros": ["Too little."]})
    fake_backend.answer_with("PATCH", "/api/billing/profile/", refused)
    response = signed_in.post("/billing/auto-topup/", AUTO)
    assert response.context["auto_form"].errors["amount"] == ["Too little."]


def test_it_can_be_told_to_try_again(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.billing_profile["auto_topup"] |= {"is_on": True, "state": "suspended"}
    response = signed_in.post("/billing/auto-topup/resume/", follow=True)
    assert "is ready again" in response.content.decode()
    assert fake_backend.billing_profile["auto_topup"]["state"] == "idle"


def test_nothing_to_try_again_is_said(signed_in: Client) -> None:
    assert "There is nothing to resume." in signed_in.post("/billing/auto-topup/resume/", follow=True).content.decode()


# --- Card, plan and details


def test_a_saved_card_is_changed_on_the_provider_s_page(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.billing_profile["saved_card"] = money.saved_card(exp_month=None, exp_year=None)
    assert "Change or remove the card" in page_of(signed_in)
    response = signed_in.post("/billing/portal/")
    assert (response.status_code, response.headers["Location"]) == (303, money.PORTAL)


def test_a_portal_that_cannot_be_had_is_said(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("POST", "/api/billing/portal/session/", refuse(503, "payment_unavailable", "Look later."))
    assert "Look later." in signed_in.post("/billing/portal/", follow=True).content.decode()


def test_without_payments_there_is_no_card_to_keep(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.billing_profile["payments"]["is_set_up"] = False
    assert "Payments are not set up on this installation" in page_of(signed_in)


@pytest.mark.parametrize(("is_ending", "told"), [(False, "renews on"), (True, "ends on")])
def test_a_subscription_says_how_it_goes_on(
    signed_in: Client, fake_backend: FakeBackend, is_ending: bool, told: str
) -> None:
    fake_backend.billing_profile["subscription"] = money.subscription(cancels_at_period_end=is_ending)
    assert told in page_of(signed_in)


def test_details_for_receipts_are_kept_line_by_line(signed_in: Client, fake_backend: FakeBackend) -> None:
    sent = {"billing_name": "Acme", "billing_address": "1 Road\r\nTown", "tax_id": "DE1"}
    response = signed_in.post("/billing/details/", sent, follow=True)
    assert "Your billing details are saved." in response.content.decode()
    kept = {name: fake_backend.billing_profile[name] for name in sent}
    assert kept == sent | {"billing_address": "1 Road\nTown"}


def test_details_that_are_too_long_are_said(signed_in: Client) -> None:
    response = signed_in.post("/billing/details/", {"tax_id": "x" * 65})
    assert response.status_code == 400
    assert list(response.context["details_form"].errors) == ["tax_id"]


@pytest.mark.parametrize("path", ["/billing/auto-topup/", "/billing/details/"])
def test_without_a_backend_a_form_is_shown_again_alone(signed_in: Client, fake_backend: FakeBackend, path: str) -> None:
    fake_backend.stop()
    response = signed_in.post(path, AUTO | {"billing_name": "Acme"})
    assert response.status_code == 503
    assert "is never saved twice" in response.content.decode()
    # Its neighbours, sent empty, would overwrite what is there.
    assert "Save settings" not in response.content.decode()
