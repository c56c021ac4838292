"""Payments with their papers, and the plans."""

import pytest
from django.test import Client

from tests.fakes import money_shapes as money
from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX
from tests.fakes.identity import refuse

PAGE = "/billing/payments/"
PLANS = "/billing/plan/"


def page_of(client: Client, address: str = PAGE) -> str:
    return client.get(address).content.decode()


def test_each_payment_has_its_amount_state_card_and_what_was_given_back(
    signed_in: Client, fake_backend: FakeBackend
) -> None:
    fake_backend.payments.append(money.payment(refunded_micros=5_000_000, disputed_micros=1_000_000))
    page = page_of(signed_in)
    for told in ("$25.00", "Paid", "Visa ending in 4242", "$5.00 given back", "$1.00 disputed", "Checkout"):
        assert told in page
    assert f"/billing/invoices/{fake_backend.payments[0]['document_id']}/pdf/" in page


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("created", "Not paid yet"),
        ("ambiguous", "Being looked up"),
        ("needs_customer", "Waits for you"),
        ("failed", "Your card was declined."),
        ("canceled", "Canceled"),
    ],
)
def test_each_state_has_its_words(signed_in: Client, fake_backend: FakeBackend, state: str, told: str) -> None:
    fake_backend.payments.append(money.payment(state))
    assert told in page_of(signed_in)


def test_an_open_payment_can_be_gone_on_with_or_canceled(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.payments.append(money.payment("open"))
    payment_id = fake_backend.payments[0]["id"]
    assert f'href="{money.CHECKOUT}cs_test"' in page_of(signed_in)
    response = signed_in.post(f"{PAGE}{payment_id}/cancel/", {"idempotency_key": "of-this-test-0001"}, follow=True)
    assert fake_backend.payments[0]["state"] == "canceled"
    assert "The payment is canceled. Nothing was charged." in response.content.decode()
    assert fake_backend.calls_of("POST", f"/api/billing/payments/{payment_id}/cancel/")[0].headers["idempotency-key"]


def test_no_link_leads_to_an_address_that_is_not_the_provider_s(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.payments.append(money.payment("open", checkout_url="https://evil.example/"))
    assert "evil.example" not in page_of(signed_in)


def test_a_payment_that_is_over_cannot_be_canceled(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.payments.append(money.payment())
    response = signed_in.post(f"{PAGE}{fake_backend.payments[0]['id']}/cancel/", follow=True)
    assert "It is too late to cancel this payment." in response.content.decode()


def test_papers_are_listed_by_their_number(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.documents.append(money.document())
    page = page_of(signed_in)
    assert all(told in page for told in ("Receipt R-000001", "Top-up of the reserve"))


def test_a_pdf_passes_through_as_it_comes(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.documents.append(money.document())
    response = signed_in.get(f"/billing/invoices/{fake_backend.documents[0]['id']}/pdf/")
    assert b"".join(response.streaming_content) == b"%PDF-1.7 of the fake"  # type: ignore[attr-defined]
    assert response.headers["Content-Disposition"] == 'attachment; filename="R-000001.pdf"'


def test_a_paper_of_another_is_not_there(signed_in: Client) -> None:
    assert signed_in.get(f"/billing/invoices/{shapes.ABSENT_ID}/pdf/").status_code == 404


def test_without_payments_the_page_says_what_will_be_here(signed_in: Client) -> None:
    page = page_of(signed_in)
    assert "Nothing was paid yet" in page
    assert "No papers yet" in page


@pytest.mark.parametrize(("name", "kind"), [("cursor", "payment"), ("documents", "document")])
def test_each_list_goes_on_in_place(signed_in: Client, fake_backend: FakeBackend, name: str, kind: str) -> None:
    fake_backend.payments.extend(money.payment() for _ in range(26))
    fake_backend.documents.extend(money.document() for _ in range(26))
    assert f'hx-get="{PAGE}?{name}=25"' in page_of(signed_in)
    more = signed_in.get(f"{PAGE}?{name}=25", headers=HTMX).content.decode()
    assert more.count("<li") == more.count(f"data-{kind}=") == 1


def test_plans_are_told_with_their_prices_and_the_own_one(signed_in: Client) -> None:
    page = page_of(signed_in, PLANS)
    for told in ("Your plan", "For a million tokens", "$0.15", "included", "Choose Professional"):
        assert told in page
    assert "Choose Enterprise" not in page


def test_choosing_a_plan_leads_to_the_payment_page(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.post(PLANS, {"plan": "professional", "idempotency_key": "of-this-test-0001"})
    assert (response.status_code, response.headers["Location"]) == (303, f"{money.CHECKOUT}cs_test_plan")
    sent = fake_backend.calls_of("POST", "/api/billing/subscription/session/")[0]
    assert (sent.body, sent.headers["idempotency-key"]) == ({"plan": "professional"}, "of-this-test-0001")


def test_who_has_a_subscription_is_told_where_to_change_it(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.billing_profile["subscription"] = money.subscription()
    assert "Manage the subscription" in page_of(signed_in, PLANS)
    response = signed_in.post(PLANS, {"plan": "professional"}, follow=True)
    assert "There is a subscription already." in response.content.decode()


@pytest.mark.parametrize(("status", "code"), [(400, "invalid"), (503, "payments_not_set_up")])
def test_a_plan_that_cannot_be_had_says_why(
    signed_in: Client, fake_backend: FakeBackend, status: int, code: str
) -> None:
    fake_backend.answer_with("POST", "/api/billing/subscription/session/", refuse(status, code, "Not for sale."))
    assert "Not for sale." in signed_in.post(PLANS, {"plan": "gold"}, follow=True).content.decode()


def test_members_see_plans_but_choose_none(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.is_owner = False
    fake_backend.profiles["ada"]["role"] = "member"
    page = page_of(signed_in, PLANS)
    assert "Choose Professional" not in page
    assert "Owners of the tenant can change the plan." in page
    assert signed_in.post(PLANS, {"plan": "professional"}).status_code == 403


def test_without_plans_the_page_says_who_sets_prices(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.plans.clear()
    assert "There are no plans here" in page_of(signed_in, PLANS)
