"""From an invite passkey to an account that a stolen password does not open."""

import re

from playwright.sync_api import Page, expect

from tests.e2e import people
from tests.e2e.site import Site, code_of, plug_in_security_key


def test_a_newcomer_confirms_the_address_and_guards_the_account_with_app_and_key(site: Site, page: Page) -> None:
    name = people.new_name()
    people.sign_up(page, passkey=site.stack.create_passkey(), name=name)
    confirm_address(site, page, name)

    secret, codes = set_up_app(page)
    site.secrets.update({secret, *codes})
    people.sign_out(page)
    begin_sign_in(page, name)
    page.goto("/worklog/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    begin_sign_in(page, name)
    give_code(page, "000000")
    expect(page.locator("#id_code-errors")).to_be_visible()
    give_code(page, code_of(secret))
    expect(page.locator("#status-bar")).to_be_visible()

    add_security_key(page, "Blue key")
    people.sign_out(page)
    begin_sign_in(page, name)
    page.get_by_role("button", name="Use a security key").click()
    expect(page.locator("#status-bar")).to_be_visible()

    people.sign_out(page)
    begin_sign_in(page, name)
    give_code(page, codes[0])
    page.goto("/profile/security/")
    expect(page.get_by_role("main")).to_contain_text("9 left")
    expect(page.get_by_role("main")).to_contain_text("Blue key")


def confirm_address(site: Site, page: Page, name: str) -> None:
    banner = page.get_by_role("note").filter(has_text=f"Confirm {name}@example.org")
    expect(banner).to_be_visible()
    page.goto(site.wait_for_link(f"{name}@example.org", "Please confirm"))
    page.get_by_role("button", name="Confirm address").click()
    expect(page.locator("#toasts")).to_contain_text("is confirmed")
    expect(banner).to_have_count(0)


def set_up_app(page: Page) -> tuple[str, list[str]]:
    """The secret, and the recovery codes, which are shown once; the code of this half minute stays unused."""
    page.goto("/profile/security/")
    page.get_by_role("button", name="Set up app").click()
    secret = page.locator("#totp-secret").input_value()
    page.locator("#id_code").fill(code_of(secret, steps_ago=1))
    page.get_by_role("button", name="Turn it on").click()
    shown = page.locator("#recovery-codes code")
    expect(shown).to_have_count(10)
    codes = shown.all_inner_texts()
    page.reload()
    expect(page.get_by_role("main")).to_contain_text("They were shown once")
    return secret, codes


def begin_sign_in(page: Page, name: str) -> None:
    people.give_password(page, name=name)
    expect(page).to_have_url(re.compile("/accounts/second-factor/$"))


def give_code(page: Page, code: str) -> None:
    page.locator("#id_code").fill(code)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#status-bar").or_(page.locator("#id_code-errors"))).to_be_visible()


def add_security_key(page: Page, name: str) -> None:
    plug_in_security_key(page)
    page.goto("/profile/security/keys/add/")
    page.locator("#id_name").fill(name)
    page.get_by_role("button", name="Add key").click()
    expect(page.locator("#toasts")).to_contain_text(f"“{name}” is added")
