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
SENT = {"threshold": "2.50", "billing_email": "money@example.com"}


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
