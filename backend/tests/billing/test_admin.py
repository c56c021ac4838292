"""Money in Django admin."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from apps.billing.models import BillingAuditLog, RateCard, RateCardVersion, RateLineItem, StripeEvent
from apps.billing.payment_types import PaymentKind, StripeEventState
from apps.billing.services.proof import prove_ledger
from apps.billing.services.rate_cards import clone_version
from apps.billing.types import TokenClass, VersionState
from apps.common import clock
from apps.common.ids import uuid7
from tests.admin_client import admin_session
from tests.billing.raw import run
from tests.factories.accounts import make_staff
from tests.factories.billing import (
    NOW,
    make_dispute,
    make_hold,
    make_payment,
    make_refund,
    make_reserve,
    publish_prices,
    settle,
)
from tests.factories.payments import make_receipt

pytestmark = pytest.mark.django_db

VERSIONS = "/admin/billing/ratecardversion/"
LEDGER = "/admin/billing/reserveledgerentry/"
READ_ONLY = [
    *("billingprofile", "reserveaccount", "reserveledgerentry", "reservehold", "usageevent", "lossentry"),
    *("ledgerproof", "billingauditlog", "ratecard"),
    *("paymentattempt", "paymentrefund", "paymentdispute", "autotopup", "billingdocument", "stripeevent"),
]


@pytest.fixture
def staff() -> Client:
    return admin_session(make_staff(username="boss"))


@pytest.fixture
def version() -> RateCardVersion:
    """Published prices, with some life after them."""
    version = publish_prices()
    tenant = make_reserve(funds=1000)
    settle(make_hold(tenant, 100), 150)
    make_refund(make_payment(tenant, kind=PaymentKind.AUTOMATIC), 100)
    make_dispute(make_payment(tenant), 100)
    make_receipt(tenant)
    make_stripe_event()
    prove_ledger(now=NOW)
    return version


def make_stripe_event(**fields: Any) -> StripeEvent:
    values = {"event_id": f"evt_{uuid7()}", "type": "payment_intent.succeeded", "object_id": "pi_1", "livemode": False}
    values |= {"payload": {"id": "pi_1"}, "received_at": NOW, "state": StripeEventState.PARKED, **fields}
    return StripeEvent.objects.create(**values)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def act(client: Client, action: str, version: RateCardVersion) -> str:
    answer = client.post(VERSIONS, {"action": action, "_selected_action": [str(version.id)]}, follow=True)
    return answer.content.decode()


@pytest.mark.parametrize("model", [*READ_ONLY, "ratecardversion"])
def test_each_list_and_row_can_be_read(staff: Client, version: RateCardVersion, model: str) -> None:
    listing = page(staff, f"/admin/billing/{model}/")
    row = re.search(rf'href="(/admin/billing/{model}/[0-9a-f-]+/change/)', listing)
    assert row is not None
    page(staff, row.group(1))


@pytest.mark.parametrize("model", READ_ONLY)
def test_nothing_about_money_is_written_by_hand(staff: Client, version: RateCardVersion, model: str) -> None:
    listing = page(staff, f"/admin/billing/{model}/")
    row = re.search(rf'href="(/admin/billing/{model}/[0-9a-f-]+/)change/', listing)
    assert row is not None
    assert staff.post(f"{row.group(1)}change/", {}).status_code == 403
    assert staff.post(f"{row.group(1)}delete/", {"post": "yes"}).status_code == 403
    assert staff.post(f"/admin/billing/{model}/add/", {}).status_code == 403


def test_the_ledger_says_when_it_was_last_proved(staff: Client, version: RateCardVersion) -> None:
    assert "last proof 2026-03-14 09:26 UTC holds</h2>" in page(staff, LEDGER)


def test_the_ledger_says_that_it_was_never_proved(staff: Client) -> None:
    assert "not proved yet" in page(staff, LEDGER)


def test_the_ledger_says_what_is_broken(staff: Client) -> None:
    run(
        "INSERT INTO billing_ledgerproof"
        " (id, at, is_ok, accounts, entries, events, problems, first_broken, duration_ms)"
        " VALUES (gen_random_uuid(), now(), false, 1, 1, 1, 1, 'entry 7', 1)"
    )
    assert "is broken: entry 7" in page(staff, LEDGER)


def test_a_debt_reads_as_one(staff: Client, version: RateCardVersion) -> None:
    assert "-$0.0001" in page(staff, LEDGER)


def test_a_version_is_cloned_into_a_draft(staff: Client, version: RateCardVersion) -> None:
    assert "Free v2 is a draft with the prices of Free v1" in act(staff, "clone", version)
    assert RateCardVersion.objects.get(number=2).lines.count() == version.lines.count()


def test_a_draft_is_published(staff: Client, version: RateCardVersion) -> None:
    draft = clone_version(version_id=version.id, now=clock.now())
    assert "Free v2 is in force from" in act(staff, "publish", draft)
    draft.refresh_from_db()
    assert (draft.state, str(draft.published_by)) == (VersionState.PUBLISHED, "boss")
    assert BillingAuditLog.objects.filter(action="rate_card.published", actor__username="boss").exists()


def test_a_published_version_is_not_published_again(staff: Client, version: RateCardVersion) -> None:
    assert "Only a draft can be changed or published" in act(staff, "publish", version)


def form_of(draft: RateCardVersion, **changes: Any) -> dict[str, Any]:
    """What a browser sends when somebody saves the draft's page."""
    lines = list(draft.lines.order_by("meter", "model_pattern", "token_class"))
    form: dict[str, Any] = {"note": "New", "lines-TOTAL_FORMS": len(lines), "lines-INITIAL_FORMS": len(lines)}
    for number, line in enumerate(lines):
        values = {name: getattr(line, name) for name in ("id", "meter", "model_pattern", "token_class", "unit_size")}
        values |= {"version": draft.id, "price_micros": 7, "provider_cost_micros": 1, **changes}
        form |= {f"lines-{number}-{name}": value for name, value in values.items()}
    return form


def test_the_lines_of_a_draft_can_be_edited(staff: Client, version: RateCardVersion) -> None:
    draft = clone_version(version_id=version.id, now=NOW)
    answer = staff.post(f"{VERSIONS}{draft.id}/change/", form_of(draft))
    assert answer.status_code == 302
    assert set(draft.lines.values_list("price_micros", flat=True)) == {7}


def test_a_line_that_breaks_a_rule_is_explained(staff: Client, version: RateCardVersion) -> None:
    draft = clone_version(version_id=version.id, now=NOW)
    answer = staff.post(f"{VERSIONS}{draft.id}/change/", form_of(draft, unit_size=3))
    assert answer.status_code == 200
    assert "The unit must divide one million" in answer.content.decode()


def test_the_lines_of_a_published_version_cannot_be_edited(staff: Client, version: RateCardVersion) -> None:
    answer = staff.post(f"{VERSIONS}{version.id}/change/", form_of(version))
    assert answer.status_code == 403
    assert RateLineItem.objects.filter(token_class=TokenClass.INPUT, price_micros=1_000_000).exists()


def test_a_draft_can_be_thrown_away(staff: Client, version: RateCardVersion) -> None:
    draft = clone_version(version_id=version.id, now=NOW)
    answer = staff.post(f"{VERSIONS}{draft.id}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    assert not RateCardVersion.objects.filter(pk=draft.id).exists()


def test_a_published_version_cannot_be_thrown_away(staff: Client, version: RateCardVersion) -> None:
    assert staff.post(f"{VERSIONS}{version.id}/delete/", {"post": "yes"}).status_code == 403


def test_a_card_shows_what_is_in_force(staff: Client, version: RateCardVersion) -> None:
    clone_version(version_id=version.id, now=NOW)
    assert "Free v1" in page(staff, "/admin/billing/ratecard/")
    assert "Free v2" not in page(staff, "/admin/billing/ratecard/")
    assert RateCard.objects.count() == 1


def test_others_see_nothing() -> None:
    assert Client().get(LEDGER).status_code == 302


def test_every_table_of_money_is_in_the_admin() -> None:
    shown = {model._meta.model_name for model in admin.site._registry if model._meta.app_label == "billing"}
    assert shown == {*READ_ONLY, "ratecardversion", "paymentwatermark"}
