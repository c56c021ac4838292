"""The money of the whole house: how it stands, refunds, Stripe's messages, costs, and a customer's reserve."""

import pytest
from django.test import Client

from tests.fakes import house_shapes as house
from tests.fakes import staff_money_shapes as shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX
from tests.fakes.server import Reply
from tests.fakes.shapes import ABSENT_ID, Json

PAGE = "/admin-panel/billing/"
PAYMENTS, EVENTS, COSTS = f"{PAGE}payments/", f"{PAGE}stripe-events/", f"{PAGE}costs/"
KEY = "0f9f2a2e-5a53-4d3b-9d0a-6f1a2b3c4d5e"
ADJUST_API = "/api/billing/admin/reserve/adjust/"
REFUND_API = "/api/billing/admin/refunds/"


@pytest.fixture
def paid(fake_backend: FakeBackend) -> Json:
    made = shapes.staff_payment()
    fake_backend.house_payments.append(made)
    return made


@pytest.fixture
def acme(fake_backend: FakeBackend) -> Json:
    made = house.tenant_row(name="Acme")
    fake_backend.tenants.append(made)
    return made


def page(client: Client, path: str = PAGE) -> str:
    return client.get(path).content.decode()


# --- Overview


def test_the_overview_says_how_all_reserves_stand(staff: Client) -> None:
    shown = page(staff)
    for told in ("$41.20", "$0.12", "$75.00", "$3.400372", "$0.015", "Acme", "Zenith", "41 entries", "Proved"):
        assert told in shown
    assert f'href="{PAGE}disputes/">1</a>' in shown
    assert 'hx-history="false"' in shown


def test_an_overview_of_a_house_that_has_nothing_yet(staff: Client, fake_backend: FakeBackend) -> None:
    quiet: Json = {"low": [], "stopped": [], "last_proof": None, "last_reconcile": None, "open_disputes": 0}
    fake_backend.money_summary |= quiet
    shown = page(staff)
    for told in ("Nobody is stopped", "No reserve is low", "not proved yet", "not yet", "none"):
        assert told in shown


def test_a_broken_proof_is_told_with_its_first_break(staff: Client, fake_backend: FakeBackend) -> None:
    broken = shapes.proof(is_ok=False, problems=2, first_broken="entry 7 of Acme: its hash does not follow")
    fake_backend.money_summary["last_proof"] = broken
    shown = page(staff)
    assert "Broken" in shown
    assert "2 problems; the first: entry 7 of Acme" in shown


def test_the_ledger_of_the_house_comes_as_a_file(staff: Client, fake_backend: FakeBackend) -> None:
    response = staff.get(f"{PAGE}ledger.csv?tenant={ABSENT_ID}&from=2026-11-01&to=2026-11-30")
    assert b"".join(getattr(response, "streaming_content")).startswith(b"tenant,seq")  # noqa: B009 - not in the type
    assert 'filename="ledger.csv"' in response["Content-Disposition"]
    asked = fake_backend.calls_of("GET", "/api/billing/admin/ledger/export.csv")[0].query
    assert asked == {"tenant": ABSENT_ID, "from": "2026-11-01", "to": "2026-11-30"}


# --- Payments


def test_payments_are_listed_by_state_and_customer(staff: Client, fake_backend: FakeBackend, paid: Json) -> None:
    fake_backend.house_payments.append(shapes.staff_payment("failed"))
    found = staff.get(f"{PAYMENTS}?state=failed&tenant=", headers=HTMX).content.decode()
    assert "Your card was declined." in found
    assert paid["id"] not in found
    assert f"{PAYMENTS}{paid['id']}/refund/" in page(staff, PAYMENTS)
    assert "No payment fits" in page(staff, f"{PAYMENTS}?tenant={ABSENT_ID}")


def test_what_waits_for_the_customer_does_not_wait_for_staff(staff: Client, fake_backend: FakeBackend) -> None:
    fake_backend.house_payments.append(shapes.staff_payment("needs_customer"))
    shown = page(staff, PAYMENTS)
    assert 'data-state="awaited"' in shown
    assert "/refund/" not in shown


def test_further_payments_follow_in_place(staff: Client, fake_backend: FakeBackend) -> None:
    fake_backend.house_payments.extend(shapes.staff_payment() for _ in range(26))
    assert f"{PAYMENTS}?cursor=25" in page(staff, PAYMENTS)
    assert staff.get(f"{PAYMENTS}?cursor=25", headers=HTMX).content.decode().count("data-payment") == 1


def test_a_payment_that_is_given_back_whole_offers_no_refund(staff: Client, fake_backend: FakeBackend) -> None:
    gone: Json = {"refunded_micros": 5_000_000, "disputed_micros": 20_000_000}
    fake_backend.house_payments.append(shapes.staff_payment(**gone))
    shown = page(staff, PAYMENTS)
    assert "$5.00 given back" in shown
    assert "/refund/" not in shown


def test_a_refund_names_customer_and_payment_and_is_sent_once_by_its_key(
    staff: Client, fake_backend: FakeBackend, paid: Json
) -> None:
    address = f"{PAYMENTS}{paid['id']}/refund/"
    asked = staff.get(address, headers=HTMX).content.decode()
    for told in ("Refund a payment of Acme?", "$25.00 came in with visa 4242", "all that is left, $25.00"):
        assert told in asked
    sent = {"amount": "5", "reason": "Paid twice", "idempotency_key": KEY}
    assert "$5.00 go back to Acme." in staff.post(address, sent, follow=True).content.decode()
    (call,) = fake_backend.calls_of("POST", REFUND_API)
    assert call.body == {"payment": paid["id"], "amount_cents": 500, "reason": "Paid twice"}
    assert call.headers["idempotency-key"] == KEY


def test_without_an_amount_all_that_is_left_goes_back(staff: Client, fake_backend: FakeBackend, paid: Json) -> None:
    paid["refunded_micros"] = 5_000_000
    address = f"{PAYMENTS}{paid['id']}/refund/"
    assert "$5.00 of it were given back before." in page(staff, address)
    shown = staff.post(address, {"amount": "", "reason": "Left"}, follow=True).content.decode()
    assert "$20.00 go back to Acme." in shown
    assert "amount_cents" not in fake_backend.calls_of("POST", REFUND_API)[0].body


def test_more_than_is_left_is_refused_before_anybody_is_asked(
    staff: Client, fake_backend: FakeBackend, paid: Json
) -> None:
    response = staff.post(f"{PAYMENTS}{paid['id']}/refund/", {"amount": "25.01", "reason": "Too much"}, headers=HTMX)
    assert response.status_code == 422
    assert "Only $25.00 are left of this payment." in response.content.decode()
    assert fake_backend.calls_of("POST", REFUND_API) == []


def test_a_refund_that_another_one_has_overtaken_is_refused_in_the_dialog(
    staff: Client, fake_backend: FakeBackend, paid: Json
) -> None:
    refused = {"error": "There is not that much left.", "code": "nothing_to_refund", "fields": {}, "request_id": ""}
    fake_backend.answer_with("POST", REFUND_API, Reply(status=409, body=refused))
    response = staff.post(f"{PAYMENTS}{paid['id']}/refund/", {"amount": "5", "reason": "Late"}, headers=HTMX)
    assert response.status_code == 422
    assert "There is not that much left." in response.content.decode()


def test_a_refund_that_failed_at_once_is_not_called_done(staff: Client, fake_backend: FakeBackend, paid: Json) -> None:
    fake_backend.answer_with("POST", REFUND_API, Reply(status=201, body=shapes.refund(paid, state="failed")))
    shown = staff.post(f"{PAYMENTS}{paid['id']}/refund/", {"reason": "Asked"}, follow=True).content.decode()
    assert "failed; nothing was given back" in shown


def test_a_refund_asks_for_a_fresh_proof_and_keeps_what_was_typed(
    staff: Client, fake_backend: FakeBackend, paid: Json
) -> None:
    fake_backend.is_stale = True
    address = f"{PAYMENTS}{paid['id']}/refund/"
    response = staff.post(
        address, {"amount": "5", "reason": "Paid twice"}, headers={"Referer": f"http://testserver{address}"}
    )
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/reauthenticate/")
    assert paid["refunded_micros"] == 0


# --- Stripe's messages


def test_messages_are_listed_by_state_and_type(staff: Client, fake_backend: FakeBackend) -> None:
    parked = shapes.stripe_event("parked", last_error="Nobody's payment", livemode=True)
    fake_backend.stripe_events.extend([parked, shapes.stripe_event(type="refund.created")])
    found = staff.get(f"{EVENTS}?state=parked", headers=HTMX).content.decode()
    assert "Nobody&#x27;s payment" in found
    assert "refund.created" not in found
    assert "refund.created" in page(staff, f"{EVENTS}?type=refund.created")
    assert "No event fits" in page(staff, f"{EVENTS}?type=invoice.paid")


def test_further_messages_follow_in_place(staff: Client, fake_backend: FakeBackend) -> None:
    fake_backend.stripe_events.extend(shapes.stripe_event() for _ in range(26))
    assert staff.get(f"{EVENTS}?cursor=25", headers=HTMX).content.decode().count("data-event") == 1


def test_a_parked_message_is_worked_again_and_a_done_one_is_not(staff: Client, fake_backend: FakeBackend) -> None:
    parked, done = shapes.stripe_event("parked"), shapes.stripe_event()
    fake_backend.stripe_events.extend([parked, done])
    assert page(staff, EVENTS).count("Work it again</") == 1
    assert "is worked again." in staff.post(f"{EVENTS}{parked['id']}/retry/", follow=True).content.decode()
    assert "This event is done." in staff.post(f"{EVENTS}{done['id']}/retry/", follow=True).content.decode()


# --- Costs and disputes


def test_costs_are_grouped_and_add_up(staff: Client, fake_backend: FakeBackend) -> None:
    fake_backend.cost_groups.extend(
        [shapes.cost_group(), shapes.cost_group("Zenith", margin_micros=-350, not_charged_micros=7)]
    )
    shown = page(staff, f"{COSTS}?from=2026-11-01")
    for told in (
        "Acme",
        "Zenith",
        "$0.002976",
        "\N{MINUS SIGN}$0.00035",
        "$0.002626",
        "24 events",
        "$0.000007 not charged",
        "group_by=model",
    ):
        assert told in shown
    assert fake_backend.calls_of("GET", "/api/billing/admin/usage/costs/")[0].query["group_by"] == "tenant"


@pytest.mark.parametrize(("wanted", "asked"), [("model", "model"), ("day", "day"), ("moon", "tenant")])
def test_a_grouping_that_there_is_not_is_the_usual_one(
    staff: Client, fake_backend: FakeBackend, wanted: str, asked: str
) -> None:
    assert "Nothing was metered then" in page(staff, f"{COSTS}?group_by={wanted}")
    assert fake_backend.calls_of("GET", "/api/billing/admin/usage/costs/")[0].query["group_by"] == asked


def test_disputes_say_until_when_they_are_answered(staff: Client, fake_backend: FakeBackend) -> None:
    fake_backend.disputes.extend([shapes.dispute(), shapes.dispute(state="lost", clawed_back_micros=0)])
    shown = page(staff, f"{PAGE}disputes/")
    assert shown.count("evidence by") == 1
    assert "$25.00 taken from the reserve" in shown


def test_further_disputes_follow_in_place(staff: Client, fake_backend: FakeBackend) -> None:
    fake_backend.disputes.extend(shapes.dispute() for _ in range(26))
    more = staff.get(f"{PAGE}disputes/?cursor=25", headers=HTMX).content.decode()
    assert more.count("data-dispute") == 1
    assert "No disputes" not in more


def test_no_disputes_is_said(staff: Client) -> None:
    assert "No disputes" in page(staff, f"{PAGE}disputes/")


# --- A customer's reserve


def test_an_adjustment_is_read_back_before_it_is_made(staff: Client, fake_backend: FakeBackend, acme: Json) -> None:
    address = f"/admin-panel/tenants/{acme['id']}/adjust/"
    assert "Adjust the reserve of Acme?" in staff.get(address, headers=HTMX).content.decode()
    typed = {"amount": "-1.5", "reason": "Wrong credit", "confirmed": "", "idempotency_key": KEY}
    asked = staff.post(address, typed, headers=HTMX).content.decode()
    for told in ("Take $1.50 from Acme?", "from $4.20 to $2.70", "Wrong credit", KEY, 'value="-1500000"'):
        assert told in asked
    assert fake_backend.calls_of("POST", ADJUST_API) == []
    done = staff.post(address, typed | {"confirmed": "-1500000"}, follow=True).content.decode()
    assert "\N{MINUS SIGN}$1.50 for Acme; the balance is $2.70 now." in done
    (call,) = fake_backend.calls_of("POST", ADJUST_API)
    assert call.body == {"tenant": acme["id"], "amount_micros": -1_500_000, "reason": "Wrong credit"}
    assert call.headers["idempotency-key"] == KEY


def test_a_gift_is_read_back_as_one(staff: Client, acme: Json) -> None:
    typed = {"amount": "0.000372", "reason": "Goodwill"}
    assert "Give $0.000372 to Acme?" in staff.post(f"/admin-panel/tenants/{acme['id']}/adjust/", typed).content.decode()


def test_another_amount_than_was_read_back_is_read_back_again(
    staff: Client, fake_backend: FakeBackend, acme: Json
) -> None:
    sent = {"amount": "6", "reason": "Goodwill", "confirmed": "5000000"}
    assert "Give $6.00 to Acme?" in staff.post(f"/admin-panel/tenants/{acme['id']}/adjust/", sent).content.decode()
    assert fake_backend.calls_of("POST", ADJUST_API) == []


@pytest.mark.parametrize("amount", ["", "0", "0.0000001", "100001", "a lot"])
def test_an_amount_that_is_none_is_refused(staff: Client, fake_backend: FakeBackend, acme: Json, amount: str) -> None:
    sent = {"amount": amount, "reason": "Goodwill"}
    response = staff.post(f"/admin-panel/tenants/{acme['id']}/adjust/", sent)
    assert (response.status_code, list(response.context["form"].errors)) == (400, ["amount"])
    assert fake_backend.calls_of("POST", ADJUST_API) == []


def test_a_policy_is_changed_with_a_reason(staff: Client, fake_backend: FakeBackend, acme: Json) -> None:
    address = f"/admin-panel/tenants/{acme['id']}/policy/"
    assert "Change the policy of Acme?" in page(staff, address)
    sent = {"policy": "block", "floor": "-2.50", "fixed": "true", "reason": "Agreed"}
    done = staff.post(address, sent, follow=True).content.decode()
    assert "The policy of Acme is “block”, floor \N{MINUS SIGN}$2.50; only staff change it." in done
    (call,) = fake_backend.calls_of("PATCH", f"/api/billing/admin/reserve/{acme['id']}/policy/")
    changes = {"policy": "block", "floor_micros": -2_500_000, "is_policy_fixed": True, "reason": "Agreed"}
    assert call.body == changes


def test_the_owner_may_be_given_the_policy_back(staff: Client, fake_backend: FakeBackend, acme: Json) -> None:
    address = f"/admin-panel/tenants/{acme['id']}/policy/"
    assert (
        "the owner may change it"
        in staff.post(address, {"fixed": "false", "reason": "x"}, follow=True).content.decode()
    )
    (call,) = fake_backend.calls_of("PATCH", f"/api/billing/admin/reserve/{acme['id']}/policy/")
    assert call.body == {"is_policy_fixed": False, "reason": "x"}


@pytest.mark.parametrize(
    ("over", "field"), [({}, "__all__"), ({"floor": "1"}, "floor"), ({"policy": "give"}, "policy")]
)
def test_a_policy_that_changes_nothing_is_refused(
    staff: Client, fake_backend: FakeBackend, acme: Json, over: dict[str, str], field: str
) -> None:
    address = f"/admin-panel/tenants/{acme['id']}/policy/"
    response = staff.post(address, {"reason": "Asked"} | over)
    assert list(response.context["form"].errors) == [field]
    assert fake_backend.calls_of("PATCH", f"/api/billing/admin/reserve/{acme['id']}/policy/") == []


def test_a_tenant_leads_to_its_money(staff: Client, acme: Json) -> None:
    shown = page(staff, f"/admin-panel/tenants/{acme['id']}/")
    for path in ("adjust/", "policy/", f"{PAYMENTS}?tenant={acme['id']}", f"{PAGE}ledger.csv?tenant={acme['id']}"):
        assert path in shown
