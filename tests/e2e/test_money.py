"""Money in a browser: paid in by card, charged by itself, disputed, given back, on paper."""

import io
import re

import pypdf
import pytest
from playwright.sync_api import Page, expect

from tests.e2e import people, purse
from tests.e2e.site import Site, watched


def test_a_top_up_is_in_the_reserve_and_in_another_tab_without_a_reload(site: Site, page: Page) -> None:
    purse.sign_up(page, site.stack)
    with watched(page.context.new_page()) as other:
        other.goto("/worklog/")
        expect(other.locator("#status-bar")).to_contain_text("$5.00")
        other.evaluate("document.body.dataset.stayed = 'yes'")
        purse.top_up(page, "10")
        expect(page.locator("main")).to_contain_text("$15.00")
        expect(page.locator("#status-bar")).to_contain_text("$15.00")
        # As when somebody comes back to the tab: nobody has to wait for the next poll.
        other.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(other.locator("#status-bar")).to_contain_text("$15.00")
        expect(other.locator("body")).to_have_attribute("data-stayed", "yes")


@pytest.mark.failure("M20")
def test_after_a_decline_another_card_pays_once(site: Site, page: Page) -> None:
    name = purse.sign_up(page, site.stack)
    purse.go_to_payment(page)
    purse.type_card(page, purse.DECLINED, payer=name)
    expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
    purse.type_card(page, purse.PAID, payer=name)
    purse.expect_arrival(page)
    assert purse.count_movements(page, "Top-up") == 1
    assert [one["status"] for one in purse.payments_of(site.stack, name)] == ["succeeded"]


def test_a_bank_that_asks_is_told_no_and_then_yes(site: Site, page: Page) -> None:
    purse.sign_up(page, site.stack)
    purse.go_to_payment(page)
    purse.type_card(page, purse.ASKS)
    page.get_by_role("button", name="Fail authentication").click()
    expect(page.get_by_role("alert")).to_contain_text("unable to authenticate")
    purse.type_card(page, purse.ASKS)
    page.get_by_role("button", name="Complete authentication").click()
    purse.expect_arrival(page)
    assert purse.count_movements(page, "Top-up") == 1


def test_who_goes_back_without_paying_can_go_on_later(site: Site, page: Page) -> None:
    purse.sign_up(page, site.stack)
    purse.go_to_payment(page)
    page.get_by_role("link", name="Back without paying").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing was charged")
    page.goto("/billing/payments/")
    page.get_by_role("link", name=re.compile("^Go on to pay")).click()
    purse.type_card(page, purse.PAID)
    purse.expect_arrival(page)
    expect(page.locator("main")).to_contain_text("$15.00")


@pytest.mark.failure("M16")
def test_a_job_that_makes_the_reserve_low_fills_it_up_once(site: Site, page: Page) -> None:
    name = purse.sign_up(page, site.stack)
    purse.top_up(page, "10", payer=name, keeps_card=True)
    page.goto("/billing/settings/")
    page.get_by_label("Fill it up by itself").check()
    form = page.locator("#auto-topup-form")
    for name_of_field, dollars in (("threshold", "15"), ("amount", "20"), ("monthly_cap", "50")):
        form.locator(f"[name={name_of_field}]").fill(dollars)
    form.get_by_role("button", name="Save automatic top-up").click()
    expect(page.locator("#auto-topup-state")).to_contain_text("to the card ending in 4242")
    people.add_entry(page, people.TITLES[0])
    people.make_report(page)
    purse.expect_in_ledger(page, "Automatic top-up", "$20.00")
    # Another round of the machine that looks for low reserves finds nothing to do.
    page.wait_for_timeout(12_000)
    charges = [one for one in purse.payments_of(site.stack, name) if one["amount"] == 2000]
    assert [one["status"] for one in charges] == ["succeeded"]
    assert purse.count_movements(page, "Automatic top-up") == 1


@pytest.mark.failure("M25")
def test_a_dispute_takes_the_money_and_gives_it_back(site: Site, page: Page) -> None:
    name = purse.sign_up(page, site.stack)
    purse.top_up(page, "10", payer=name)
    (payment,) = purse.payments_of(site.stack, name)
    dispute = purse.at_provider(site.stack, "disputes", payment_intent=payment["id"])
    purse.at_provider(site.stack, f"disputes/{dispute['id']}/withdraw")
    purse.expect_in_ledger(page, "Dispute: withdrawn", "\N{MINUS SIGN}$10.00", "$5.00")
    purse.at_provider(site.stack, f"disputes/{dispute['id']}/reinstate")
    purse.at_provider(site.stack, f"disputes/{dispute['id']}/win")
    purse.expect_in_ledger(page, "Dispute: reinstated", "+$10.00", "$15.00")


def test_a_receipt_is_a_pdf_that_says_who_paid_what(site: Site, page: Page) -> None:
    purse.sign_up(page, site.stack)
    page.goto("/billing/settings/")
    page.get_by_label("Name").fill("Analytical Engines Ltd")
    page.get_by_role("button", name="Save details").click()
    purse.top_up(page, "25")
    page.goto("/billing/payments/")
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("^Receipt for")).click()
    content = download.value.path().read_bytes()
    text = pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text()
    number = page.locator("[data-document]").get_attribute("data-document")
    assert number is not None
    for told in (number, "25.00", "Analytical Engines Ltd"):
        assert told in text


def test_staff_give_a_part_back_and_the_customer_sees_it_on_paper(site: Site, page: Page, staff: Page) -> None:
    purse.sign_up(page, site.stack)
    purse.top_up(page, "10")
    staff.goto("/admin-panel/billing/payments/?state=succeeded")
    staff.locator("[data-payment]").first.get_by_role("link", name=re.compile("^Refund")).click()
    dialog = staff.get_by_role("dialog")
    dialog.get_by_label(re.compile("^Amount")).fill("4")
    dialog.get_by_label("Reason").fill("Charged for a day that was down")
    dialog.get_by_role("button", name="Refund").click()
    expect(staff.locator("#toasts")).to_contain_text("$4.00 go back to")
    purse.expect_in_ledger(page, "Refund", "\N{MINUS SIGN}$4.00", "$11.00")
    page.goto("/billing/payments/")
    expect(page.locator("main")).to_contain_text("$4.00 given back")
    expect(page.locator("[data-document^='C-']")).to_have_count(1)


@pytest.mark.failure("M44")
def test_staff_adjust_a_reserve_after_reading_it_back(site: Site, page: Page, staff: Page) -> None:
    name = purse.sign_up(page, site.stack)
    staff.goto(f"/admin-panel/tenants/?q={name}")
    staff.locator("[data-tenant] a").first.click()
    staff.get_by_role("link", name="Adjust the reserve").click()
    dialog = staff.get_by_role("dialog")
    dialog.get_by_label(re.compile("^Amount")).fill("2.50")
    dialog.get_by_label("Reason").fill("Goodwill")
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog).to_contain_text("The reserve goes from $5.00 to $7.50.")
    dialog.get_by_role("button", name="Give $2.50").dblclick()
    expect(staff.locator("#toasts")).to_contain_text("the balance is $7.50 now")
    assert purse.count_movements(page, "Adjustment") == 1


@pytest.mark.failure("N27")
def test_without_a_single_message_of_the_provider_no_payment_is_missed(site: Site, page: Page) -> None:
    purse.sign_up(page, site.stack)
    purse.at_provider(site.stack, "knobs", kind="drop", times=None)
    try:
        # Who comes back makes us ask.
        purse.top_up(page, "10")
        # Who pays and closes the window is found when we compare.
        purse.go_to_payment(page, "25")
        session_id = page.url.rsplit("/", 1)[-1]
        purse.at_provider(site.stack, f"checkout/{session_id}/pay")
        site.stack.manage("backend", "reconcile")
        purse.expect_in_ledger(page, "Top-up", "+$25.00", "$40.00")
        assert purse.count_movements(page, "Top-up") == 2
    finally:
        purse.forget_faults(site.stack)
