"""Adding money: the form that is one payment however often it is sent, and what the page says afterwards."""

import pytest
from django.test import Client

from tests.fakes import money_shapes as money
from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX, triggers_of
from tests.fakes.identity import refuse
from tests.fakes.server import Reply

PAGE = "/billing/topup/"
KEY = "of-this-test-0001"
SENT = {"amount": "25", "own": "", "saves_card": "on", "idempotency_key": KEY}
SESSION = "/api/billing/topup/session/"
CONFIRM = "/api/billing/topup/confirm/"


def text_of(response: object) -> str:
    content: bytes = response.content  # type: ignore[attr-defined]
    return content.decode()


def come_back(client: Client, fake: FakeBackend, state: str, *, query: str = "", **over: object) -> str:
    payment = money.payment(state, **over)
    fake.payments.append(payment)
    fake.checkouts["cs_test_1"] = payment["id"]
    return text_of(client.get(f"{PAGE}return/?session_id=cs_test_1{query}"))


def test_the_amount_and_the_wish_to_keep_the_card_lead_to_the_payment_page(
    signed_in: Client, fake_backend: FakeBackend
) -> None:
    response = signed_in.post(PAGE, SENT)
    assert response.status_code == 303
    assert response.headers["Location"] == fake_backend.payments[0]["checkout_url"]
    sent = fake_backend.calls_of("POST", SESSION)[0]
    assert sent.body == {"amount_cents": 2500, "save_card": True}
    assert sent.headers["idempotency-key"] == KEY


def test_one_s_own_amount_is_taken_to_the_cent(signed_in: Client, fake_backend: FakeBackend) -> None:
    signed_in.post(PAGE, SENT | {"amount": "own", "own": "12.34", "saves_card": ""})
    assert fake_backend.calls_of("POST", SESSION)[0].body == {"amount_cents": 1234, "save_card": False}


def test_an_own_amount_that_is_out_of_sight_counts_for_nothing(signed_in: Client, fake_backend: FakeBackend) -> None:
    assert signed_in.post(PAGE, SENT | {"own": "a lot"}).status_code == 303
    assert fake_backend.calls_of("POST", SESSION)[0].body["amount_cents"] == 2500


def test_each_form_that_is_shown_has_a_key_of_its_own(signed_in: Client) -> None:
    keys = {signed_in.get(PAGE).context["key"] for _ in range(2)}
    assert len(keys) == 2


@pytest.mark.parametrize("own", ["", "much", "-1", "0.001", "0"])
def test_an_amount_that_is_none_is_said_beside_the_field(
    signed_in: Client, fake_backend: FakeBackend, own: str
) -> None:
    response = signed_in.post(PAGE, SENT | {"amount": "own", "own": own})
    assert response.status_code == 400
    assert response.context["form"].errors["own"]
    assert fake_backend.calls_of("POST", SESSION) == []


def test_no_amount_at_all_is_said_too(signed_in: Client) -> None:
    response = signed_in.post(PAGE, {"amount": "", "own": ""})
    assert response.status_code == 400
    assert response.context["form"].errors["amount"]


@pytest.mark.parametrize(("sent", "field"), [({"amount": "own", "own": "4"}, "own"), ({"amount": "25"}, "amount")])
def test_an_amount_out_of_bounds_is_said_beside_where_it_was_typed(
    signed_in: Client, fake_backend: FakeBackend, sent: dict[str, str], field: str
) -> None:
    fake_backend.answer_with(
        "POST", SESSION, refuse(400, "topup_out_of_bounds", "Too little.", {"amount_cents": ["Too little."]})
    )
    response = signed_in.post(PAGE, SENT | sent)
    assert response.status_code == 400
    assert response.context["form"].errors[field] == ["Too little."]


def test_only_amounts_that_can_be_paid_are_offered(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.billing_profile["payments"] |= {"min_cents": 2000, "max_cents": 5000}
    page = text_of(signed_in.get(PAGE))
    assert ("$10" in page, "$25" in page, "$100" in page) == (False, True, False)
    assert "Between $20.00 and $50.00." in page


@pytest.mark.parametrize("code", ["payments_not_set_up", "payment_unavailable"])
def test_the_payment_provider_s_troubles_are_told_in_their_own_words_and_keep_the_key(
    signed_in: Client, fake_backend: FakeBackend, code: str
) -> None:
    fake_backend.answer_with("POST", SESSION, refuse(503, code, "Nothing was charged twice."))
    response = signed_in.post(PAGE, SENT)
    assert response.status_code == 503
    assert "Nothing was charged twice." in text_of(response)
    assert f'value="{KEY}"' in text_of(response)


def test_without_a_backend_what_was_chosen_is_kept_with_its_key(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.stop()
    response = signed_in.post(PAGE, SENT | {"amount": "own", "own": "42.50"})
    assert response.status_code == 503
    assert all(kept in text_of(response) for kept in ('value="42.50"', f'value="{KEY}"', "is never saved twice"))


def test_another_amount_under_a_used_key_gets_a_new_key(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("POST", SESSION, refuse(409, "idempotency_mismatch", "Used."))
    response = signed_in.post(PAGE, SENT)
    assert response.status_code == 409
    assert f'value="{KEY}"' not in text_of(response)


def test_where_payments_are_not_set_up_the_page_says_so_without_a_form(
    signed_in: Client, fake_backend: FakeBackend
) -> None:
    fake_backend.billing_profile["payments"]["is_set_up"] = False
    page = text_of(signed_in.get(PAGE))
    assert "Payments are not set up here" in page
    assert "topup-form" not in page


@pytest.mark.parametrize("url", ["https://evil.example/pay", "javascript:alert(1)", "//evil.example", "https://[", ""])
def test_no_form_leads_to_an_address_that_is_not_the_provider_s(
    signed_in: Client, fake_backend: FakeBackend, url: str
) -> None:
    started = {"payment_id": shapes.new_id(), "session_id": "cs", "checkout_url": url}
    fake_backend.answer_with("POST", SESSION, Reply(status=201, body=started))
    response = signed_in.post(PAGE, SENT)
    assert response.status_code == 503
    assert "not one that this site may lead to" in text_of(response)


def test_htmx_is_led_there_as_a_whole_page(signed_in: Client) -> None:
    assert signed_in.post(PAGE, SENT, headers=HTMX).headers["HX-Redirect"].startswith(money.CHECKOUT)


def test_a_paid_top_up_says_what_arrived_what_there_is_now_and_where_the_receipt_is(
    signed_in: Client, fake_backend: FakeBackend
) -> None:
    page = come_back(signed_in, fake_backend, "succeeded")
    receipt = fake_backend.payments[0]["document_id"]
    assert all(told in page for told in ("$25.00 arrived", "$4.20", f"/billing/invoices/{receipt}/pdf/"))
    assert "data-poll hx-get" not in page


def test_that_money_arrived_is_said_even_when_the_balance_cannot_be_read(
    signed_in: Client, fake_backend: FakeBackend
) -> None:
    fake_backend.answer_with("GET", "/api/billing/reserve/balance/", refuse(503, "unavailable", "Later."))
    page = come_back(signed_in, fake_backend, "succeeded")
    assert "$25.00 arrived" in page
    assert "Your reserve is now" not in page


def test_looking_again_only_asks_again(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.checkouts["cs_test_1"] = shapes.ABSENT_ID
    first, second = (come_back(signed_in, fake_backend, "succeeded") for _ in range(2))
    assert "arrived" in first
    assert "arrived" in second
    assert "idempotency-key" not in fake_backend.calls_of("POST", CONFIRM)[0].headers


def test_a_declined_payment_says_why_and_what_to_do(signed_in: Client, fake_backend: FakeBackend) -> None:
    page = come_back(signed_in, fake_backend, "failed")
    assert all(told in page for told in ("was declined", "Your card was declined.", "Try another card"))


def test_a_decline_without_a_reason_says_so(signed_in: Client, fake_backend: FakeBackend) -> None:
    assert "did not say why" in come_back(signed_in, fake_backend, "failed", failure_message="")


def test_a_payment_that_was_given_up_or_expired_says_that_nothing_was_charged(
    signed_in: Client, fake_backend: FakeBackend
) -> None:
    page = come_back(signed_in, fake_backend, "canceled")
    assert "was given up" in page
    assert "Nothing was charged." in page


@pytest.mark.parametrize("state", ["open", "created", "ambiguous"])
def test_while_nobody_knows_the_page_asks_again_by_itself(
    signed_in: Client, fake_backend: FakeBackend, state: str
) -> None:
    page = come_back(signed_in, fake_backend, state)
    assert "Your payment is on its way" in page
    assert 'hx-trigger="every 2s"' in page
    assert f'hx-get="{PAGE}return/?session_id=cs_test_1&amp;asked=1"' in page
    assert "Back to the payment page" not in page


@pytest.mark.parametrize(
    ("asked", "pace"), [("14", "every 2s"), ("15", "every 5s"), ("40", "every 15s"), ("nonsense", "every 2s")]
)
def test_it_asks_less_and_less_often(signed_in: Client, fake_backend: FakeBackend, asked: str, pace: str) -> None:
    assert pace in come_back(signed_in, fake_backend, "open", query=f"&asked={asked}")


def test_at_last_it_stops_asking_and_leads_back_to_the_payment_page(
    signed_in: Client, fake_backend: FakeBackend
) -> None:
    page = come_back(signed_in, fake_backend, "open", query="&asked=60")
    assert "data-poll hx-get" not in page
    assert "Back to the payment page" in page
    assert "as soon as it is there" in page


def test_a_bank_that_wants_a_confirmation_is_one_link_away(signed_in: Client, fake_backend: FakeBackend) -> None:
    page = come_back(signed_in, fake_backend, "needs_customer", checkout_url=f"{money.CHECKOUT}cs_1")
    assert "Your bank wants you to confirm this" in page
    assert f'href="{money.CHECKOUT}cs_1"' in page


def test_the_result_takes_the_place_of_the_waiting_and_renews_the_status_bar(
    signed_in: Client, fake_backend: FakeBackend
) -> None:
    come_back(signed_in, fake_backend, "open")
    waiting = signed_in.get(f"{PAGE}return/?session_id=cs_test_1&asked=1", headers=HTMX)
    assert triggers_of(waiting) == {}
    fake_backend.payments[0] |= {"state": "succeeded", "document_id": None}
    done = signed_in.get(f"{PAGE}return/?session_id=cs_test_1&asked=2", headers=HTMX)
    assert "reserve-changed" in triggers_of(done)
    assert text_of(done).startswith('<section class="failure" id="topup-result"')
    assert "Receipt (PDF)" not in text_of(done)


def test_a_poll_without_a_backend_changes_nothing(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.stop()
    assert signed_in.get(f"{PAGE}return/?session_id=cs_test_1", headers=HTMX).status_code == 204


def test_a_provider_that_does_not_answer_leaves_the_page_waiting(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("POST", CONFIRM, refuse(503, "payment_unavailable", "Later."))
    page = text_of(signed_in.get(f"{PAGE}return/?session_id=cs_test_1"))
    assert "cannot be asked at the moment" in page
    assert "data-poll hx-get" in page


def test_a_session_that_is_nobody_s_here_is_not_there(signed_in: Client) -> None:
    assert signed_in.get(f"{PAGE}return/?session_id=cs_of_another").status_code == 404


@pytest.mark.parametrize("session_id", ["", "x" * 256])
def test_without_a_session_there_are_the_payments(signed_in: Client, session_id: str) -> None:
    assert signed_in.get(f"{PAGE}return/", {"session_id": session_id}).headers["Location"] == "/billing/payments/"


def test_who_left_the_payment_page_reads_that_nothing_was_charged(signed_in: Client) -> None:
    page = text_of(signed_in.get(f"{PAGE}canceled/"))
    assert "Nothing was charged" in page
    assert f'href="{PAGE}"' in page
