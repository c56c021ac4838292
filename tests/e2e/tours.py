"""Walks past every page and dialog of a part of the site; each stop is shown and named, for whoever inspects it."""

import re
from collections.abc import Iterator

from playwright.sync_api import Page, expect

from tests.e2e import people, purse
from tests.e2e.site import Site, code_of

OPEN_PAGES = (
    "/accounts/login/",
    "/profile/signup-with-passkey/",
    "/accounts/password/reset/",
    "/accounts/password/reset/sent/",
    "/accounts/password/reset/MQ/no-such-token/",
    "/accounts/email/verify/no-such-key/",
)
PAGES = (
    "/",
    "/worklog/",
    "/worklog/quick-add/",
    "/reporting/",
    "/reporting/generate/",
    "/jobs/",
    "/billing/settings/",
    "/billing/topup/",
    "/billing/topup/canceled/",
    "/billing/plan/",
    "/billing/ledger/",
    "/billing/usage/",
    "/billing/payments/",
    "/profile/",
    "/no-such-page/",
)
ACCOUNT_PAGES = (
    "/profile/",
    "/profile/security/",
    "/profile/security/keys/add/",
    "/profile/tokens/",
    "/profile/tokens/new/",
    "/profile/members/",
    "/profile/audit/",
    "/profile/support/",
    "/profile/data/",
    "/profile/data/delete/",
    "/accounts/password/change/",
    "/accounts/email/change/",
    "/accounts/reauthenticate/?next=/profile/",
)
STAFF_PAGES = (
    "/admin-panel/users/",
    "/admin-panel/tenants/",
    "/admin-panel/audit/",
    "/admin-panel/passkeys/",
    "/admin-panel/support/",
    "/admin-panel/billing/",
    "/admin-panel/billing/payments/",
    "/admin-panel/billing/costs/",
    "/admin-panel/billing/costs/?group_by=model",
    "/admin-panel/billing/disputes/",
    "/admin-panel/billing/stripe-events/",
)
REASON = "A reason that is somewhat longer than a line of a telephone, and has-no-break-" + "in-it-" * 12


def visit(page: Page, *addresses: str) -> Iterator[str]:
    for address in addresses:
        page.goto(address)
        yield address


def open_dialog(page: Page, address: str, link: str) -> Iterator[str]:
    page.goto(address)
    page.get_by_role("link", name=link).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield f"{address} {link}"


def walk_through_worklog(site: Site, page: Page) -> Iterator[str]:
    yield from visit(page, *OPEN_PAGES)
    people.sign_up(page, passkey=site.stack.create_passkey(), name=people.new_name())
    people.add_entry(page, people.TITLES[0])
    people.make_report(page)
    yield "a report"
    page.goto("/worklog/")
    page.get_by_role("link", name=people.TITLES[0]).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(people.TITLES[0])
    yield "an entry"
    yield from visit(page, *PAGES)
    page.goto("/")
    page.keyboard.press("n")
    page.get_by_label("What you did").wait_for()
    yield "the dialog for an entry"


def walk_through_money(site: Site, page: Page) -> Iterator[str]:
    """Of somebody who has paid, spent, and whose bank disputes a payment."""
    name = purse.sign_up(page, site.stack)
    purse.go_to_payment(page, keeps_card=True)
    yield "the payment page"
    purse.type_card(page, purse.ASKS, payer=name)
    expect(page.get_by_role("button", name="Complete authentication")).to_be_visible()
    yield "the bank's question"
    page.get_by_role("button", name="Complete authentication").click()
    purse.expect_arrival(page)
    yield "an arrived payment"
    people.add_entry(page, people.TITLES[0])
    people.make_report(page)
    (payment,) = purse.payments_of(site.stack, name)
    dispute = purse.at_provider(site.stack, "disputes", payment_intent=payment["id"])
    purse.at_provider(site.stack, f"disputes/{dispute['id']}/withdraw")
    purse.expect_in_ledger(page, "Dispute: withdrawn")
    yield "a ledger with a dispute"
    groups = [f"/billing/usage/?by={by}" for by in ("day", "model", "job", "worklog", "meter", "calls")]
    yield from visit(page, "/billing/settings/", "/billing/payments/", *groups)
    link = page.get_by_role("link", name=re.compile("^Check the sum")).first
    address = link.get_attribute("href") or ""
    link.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "why a call cost what it did"
    yield from visit(page, address)
    page.goto("/billing/settings/")
    page.locator("#open-portal").click()
    expect(page.get_by_role("heading", name="Invoices")).to_be_visible()
    yield "the portal"
    yield from visit(page, site.stack.urls.stripe)


def walk_through_account(site: Site, page: Page) -> Iterator[str]:
    name = people.new_name()
    people.sign_up(page, passkey=site.stack.create_passkey(), name=name)
    yield from visit(page, *ACCOUNT_PAGES)
    yield from show_what_is_made(page)
    yield from open_dialog(page, "/profile/tokens/", "Revoke Backup script")
    yield from open_dialog(page, "/profile/members/", "Invite somebody")
    yield from open_dialog(page, "/profile/security/", "Sign out everywhere")
    yield from set_up_second_factor(page, name)
    page.goto("/profile/data/delete/")
    page.locator("#id_confirm").fill(name)
    page.get_by_label("I accept that the rest of my reserve is lost").check()
    page.get_by_role("button", name="Delete my account").click()
    expect(page.locator("#deletion-scheduled")).to_be_visible()
    yield "a scheduled deletion"


def show_what_is_made(page: Page) -> Iterator[str]:
    page.goto("/profile/tokens/new/")
    page.locator("#id_name").fill("Backup script")
    page.get_by_role("button", name="Make token").click()
    expect(page.locator("#new-token")).to_be_visible()
    yield "a new token"
    page.goto("/profile/members/invite/")
    page.get_by_label("Who is it for?").fill("Grace")
    page.get_by_role("button", name="Make invitation").click()
    expect(page.locator("#new-passkey")).to_be_visible()
    yield "a new invitation"
    open_grant(page)
    yield "an open grant"
    page.goto("/profile/audit/")
    yield "a filled audit"


def open_grant(page: Page) -> None:
    page.goto("/profile/support/")
    page.locator("#id_reason").fill(REASON)
    page.get_by_role("button", name="Let support look").click()
    expect(page.locator("#grants")).to_be_visible()


def set_up_second_factor(page: Page, name: str) -> Iterator[str]:
    page.goto("/profile/security/")
    page.get_by_role("button", name="Set up app").click()
    secret = page.locator("#totp-secret").input_value()
    yield "the secret of the app"
    page.locator("#id_code").fill(code_of(secret, steps_ago=1))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator("#recovery-codes code")).to_have_count(10)
    yield "recovery codes"
    yield from open_dialog(page, "/profile/security/", "Remove the authenticator app")
    page.goto("/accounts/logout/")
    yield "the question at log-out"
    page.get_by_role("main").get_by_role("button", name="Log out").click()
    people.give_password(page, name=name)
    expect(page.locator("#id_code")).to_be_visible()
    yield "the second step"
    page.locator("#id_code").fill(code_of(secret))
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#status-bar")).to_be_visible()


def pay_and_refund(page: Page, staff: Page) -> Iterator[str]:
    purse.top_up(page)
    staff.goto("/admin-panel/billing/payments/?state=succeeded")
    staff.locator("[data-payment]").first.get_by_role("link", name=re.compile("^Refund")).click()
    expect(staff.get_by_role("dialog")).to_be_visible()
    yield "a refund"


def walk_through_staff_pages(site: Site, page: Page, staff: Page) -> Iterator[str]:
    """`page` is of a customer, who lets support look."""
    name = people.new_name()
    people.sign_up(page, passkey=site.stack.create_passkey(), name=name)
    people.add_entry(page, people.TITLES[0])
    page.goto("/profile/support/")
    page.get_by_label("Reports and jobs").check()
    page.get_by_label("Billing: reserve, ledger, usage").check()
    page.locator("#id_reason").fill(REASON)
    page.get_by_role("button", name="Let support look").click()
    expect(page.locator("#grants")).to_be_visible()
    yield from pay_and_refund(page, staff)
    yield from visit(staff, *STAFF_PAGES)
    for area in ("Reports", "Billing", "Worklog"):
        staff.goto("/admin-panel/support/")
        staff.get_by_role("link", name=f"{area} of {name}").click()
        expect(staff.locator("#borrowed")).to_be_visible()
        yield f"borrowed {area}"
    staff.get_by_role("link", name=people.TITLES[0]).click()
    expect(staff.get_by_role("heading", level=1)).to_have_text(people.TITLES[0])
    yield "a borrowed entry"
    staff.goto(f"/admin-panel/users/?q={name}")
    staff.get_by_role("main").get_by_role("link", name=name).click()
    expect(staff.get_by_role("heading", level=1)).to_have_text(name)
    yield "a user"
    yield from open_dialog(staff, staff.url, "Close account")
    yield from visit(staff, "/admin-panel/passkeys/new/")
    staff.goto(f"/admin-panel/tenants/?q={name}")
    staff.locator("[data-tenant] a").first.click()
    expect(staff.get_by_role("heading", name="People")).to_be_visible()
    yield "a tenant"
    for link in ("Adjust the reserve", "Change the policy"):
        yield from open_dialog(staff, staff.url, link)
