"""What staff can do about money in Django admin: each act through a service, with its reason on record."""

import html
import re
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.billing.models import (
    BillingAuditLog,
    LedgerProof,
    PaymentWatermark,
    RateCardVersion,
    ReserveLedgerEntry,
    StripeEvent,
    UsageEvent,
)
from apps.billing.payment_types import StripeEventState
from apps.billing.services.rate_cards import clone_version
from apps.billing.types import EntryKind, Policy
from apps.common.ids import uuid7
from tests.admin_client import admin_session
from tests.billing.test_admin import make_stripe_event, page
from tests.factories.accounts import make_actor, make_staff
from tests.factories.billing import NOW, get_account, make_hold, make_reserve, publish_prices, settle

pytestmark = pytest.mark.django_db

ACCOUNTS = "/admin/billing/reserveaccount/"
VERSIONS = "/admin/billing/ratecardversion/"
PROOFS = "/admin/billing/ledgerproof/"
MARCH = "?first=2026-03-01&last=2026-03-31"


@pytest.fixture
def staff() -> Client:
    return admin_session(make_staff(username="boss"))


def text_of(markup: str) -> str:
    """What a person reads: without marks, spaces as one."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def send(client: Client, address: str, form: dict[str, Any]) -> str:
    answer = client.post(address, form, follow=True)
    assert answer.status_code == 200
    return text_of(answer.content.decode())


@pytest.fixture
def draft() -> RateCardVersion:
    """Half the price, after a use of 100 micros."""
    version = publish_prices()
    settle(make_hold(make_reserve(funds=1000), 200), 100)
    draft = clone_version(version_id=version.id, now=NOW)
    draft.lines.update(price_micros=500_000)
    return draft


def test_a_draft_is_tried_on_a_past_period(staff: Client, draft: RateCardVersion) -> None:
    text = text_of(page(staff, f"{VERSIONS}{draft.id}/dry-run/{MARCH}"))
    assert "Dry run of Free v2" in text
    assert "Total 1 $0.0001 $0.00005 -$0.00005 $0.00004 $0.00006 $0.00001" in text
    assert UsageEvent.objects.get().cost_micros == 100


def test_what_the_draft_has_no_price_for_is_named(staff: Client, draft: RateCardVersion) -> None:
    draft.lines.update(model_pattern="other-model")
    text = text_of(page(staff, f"{VERSIONS}{draft.id}/dry-run/{MARCH}"))
    assert "Without a price in this version Uses Price now plain-model 1 $0.0001" in text


def test_a_dry_run_takes_the_last_month_when_none_is_named(staff: Client, draft: RateCardVersion) -> None:
    assert "Total 0 $0.00" in text_of(page(staff, f"{VERSIONS}{draft.id}/dry-run/"))


@pytest.mark.parametrize("period", ["?first=2026-03-31&last=2026-03-01", "?first=nonsense"])
def test_a_dry_run_without_a_period_says_so(staff: Client, draft: RateCardVersion, period: str) -> None:
    text = text_of(page(staff, f"{VERSIONS}{draft.id}/dry-run/{period}"))
    assert "In all" not in text
    assert "before the first" in text or "valid date" in text


def test_the_page_of_a_version_leads_to_its_dry_run(staff: Client, draft: RateCardVersion) -> None:
    assert f"{VERSIONS}{draft.id}/dry-run" in page(staff, f"{VERSIONS}{draft.id}/change/")


@pytest.mark.parametrize("act", [f"{VERSIONS}%s/dry-run/", f"{ACCOUNTS}%s/adjust/", f"{ACCOUNTS}%s/policy/"])
def test_an_act_on_what_is_not_there_leads_back(staff: Client, act: str) -> None:
    for unknown in (uuid7(), "nonsense"):
        assert staff.get(act % unknown).status_code == 302


def adjustment(**changes: Any) -> dict[str, Any]:
    return {"amount": "-0.000123", "reason": "Agreed by mail", "key": str(uuid7()), **changes}


@pytest.mark.failure("M44")
def test_the_form_says_whose_money_it_is(staff: Client) -> None:
    account = get_account(make_reserve(funds=1000))
    text = text_of(page(staff, f"{ACCOUNTS}{account.id}/adjust/"))
    assert "Adjust: Reserve Balance $0.001, of which $0.00 is held. Policy: Stop at zero." in text


@pytest.mark.failure("M44")
def test_a_form_that_is_sent_twice_adjusts_once(staff: Client) -> None:
    tenant = make_reserve(funds=1000)
    form = adjustment()
    for _ in range(2):
        assert "Done, and on record" in send(staff, f"{ACCOUNTS}{get_account(tenant).id}/adjust/", form)
    entry = ReserveLedgerEntry.objects.get(kind=EntryKind.ADJUSTMENT)
    assert (entry.amount_micros, entry.description, str(entry.actor)) == (-123, "Agreed by mail", "boss")
    assert BillingAuditLog.objects.filter(action="reserve.adjusted").count() == 1


def test_each_form_to_adjust_has_a_key_of_its_own(staff: Client) -> None:
    address = f"{ACCOUNTS}{get_account(make_reserve()).id}/adjust/"
    keys = {re.search(r'name="key" value="([0-9a-f-]{36})"', page(staff, address)) for _ in range(2)}
    assert len({key[1] for key in keys if key}) == 2


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"amount": "-99"}, "below its floor"),
        ({"amount": "0"}, "outside what a reserve can take"),
        ({"reason": ""}, "required"),
        ({"amount": "0.0000001"}, "decimal places"),
    ],
)
def test_what_cannot_be_adjusted_is_said_at_the_form(staff: Client, changes: dict[str, Any], problem: str) -> None:
    tenant = make_reserve(funds=1000)
    text = send(staff, f"{ACCOUNTS}{get_account(tenant).id}/adjust/", adjustment(**changes))
    assert problem in text
    assert get_account(tenant).balance_micros == 1000


def test_a_policy_is_set_with_a_reason(staff: Client) -> None:
    tenant = make_reserve()
    address = f"{ACCOUNTS}{get_account(tenant).id}/policy/"
    assert 'value="-5.00"' in page(staff, address)
    send(staff, address, {"policy": "warn", "floor": "-2.5", "is_policy_fixed": "on", "reason": "Agreed"})
    account = get_account(tenant)
    assert (account.policy, account.floor_micros, account.is_policy_fixed) == (Policy.WARN, -2_500_000, True)
    assert BillingAuditLog.objects.get(action="reserve.policy_set").reason == "Agreed"


def test_an_account_leads_to_its_part_of_the_ledger(staff: Client) -> None:
    publish_prices()
    mine, other = make_reserve(funds=1000), make_reserve(funds=77)
    answer = staff.get(f"{ACCOUNTS}{get_account(mine).id}/ledger/", follow=True)
    assert "$0.001" in answer.content.decode()
    assert "$0.000077" not in answer.content.decode()
    assert get_account(other).balance_micros == 77


@pytest.mark.parametrize("search", ["Welcome", "nothing-like-it"])
def test_the_ledger_can_be_searched(staff: Client, search: str) -> None:
    make_reserve(funds=77)
    found = "$0.000077" in page(staff, f"/admin/billing/reserveledgerentry/?q={search}")
    assert found == (search == "Welcome")


def test_the_ledger_is_proved_by_a_button_and_that_is_on_record(staff: Client) -> None:
    make_reserve(funds=1000)
    assert "Prove now" in page(staff, f"{PROOFS}prove/")
    assert not LedgerProof.objects.exists()
    text = send(staff, f"{PROOFS}prove/", {})
    assert re.search(r"last proof \S+ \S+ UTC holds", text)
    proof = LedgerProof.objects.get()
    row = BillingAuditLog.objects.get(action="ledger.proved")
    assert (proof.is_ok, row.target_id, str(row.actor)) == (True, proof.id, "boss")


def test_costs_and_margin_of_a_period(staff: Client, draft: RateCardVersion) -> None:
    costs = "/admin/billing/usageevent/costs/"
    assert "plain-model 1 $0.0001 $0.00004 $0.00 $0.00 $0.00006" in text_of(page(staff, f"{costs}{MARCH}"))
    assert "2026-03-14 1 $0.0001" in text_of(page(staff, f"{costs}{MARCH}&group_by=day"))
    assert "Reserve 1 $0.0001" in text_of(page(staff, f"{costs}{MARCH}&group_by=tenant"))
    assert "$0.0001" not in text_of(page(staff, f"{costs}{MARCH}&group_by=nonsense"))


def test_a_message_of_stripe_is_shown_and_worked_on_again(staff: Client) -> None:
    event = make_stripe_event(payload={"id": "pi_77", "object": "payment_intent"})
    address = "/admin/billing/stripeevent/"
    assert "pi_77" in page(staff, f"{address}{event.id}/change/")
    assert "1 will be worked on again" in send(staff, address, {"action": "retry", "_selected_action": [str(event.id)]})
    event.refresh_from_db()
    assert event.state == StripeEventState.RECEIVED


def test_a_message_that_cannot_be_retried_says_why(staff: Client) -> None:
    event = make_stripe_event(livemode=True)
    text = send(staff, "/admin/billing/stripeevent/", {"action": "retry", "_selected_action": [str(event.id)]})
    assert event.event_id in text
    assert StripeEvent.objects.get(pk=event.id).state == StripeEventState.PARKED


def test_how_far_the_reconciliation_has_read(staff: Client) -> None:
    PaymentWatermark.objects.create(kind="payments", read_until=NOW, updated_at=NOW)
    assert "payments" in page(staff, "/admin/billing/paymentwatermark/")


@pytest.mark.parametrize("path", [f"{PROOFS}prove/", "/admin/billing/usageevent/costs/"])
def test_others_can_do_none_of_it(path: str) -> None:
    assert Client().post(path, {}).status_code in {302, 403}
    member = Client()
    member.force_login(User.objects.get(pk=make_actor().user_id))
    assert member.post(path, {}).status_code in {302, 403}
    assert not LedgerProof.objects.exists()
