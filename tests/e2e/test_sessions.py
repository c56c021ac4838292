"""Where a person is signed in, and how that ends: by mail, from another browser, without the backend."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e import people
from tests.e2e.site import Site

ENDED = "This session was ended"
NEW_PASSWORD = "another horse, another battery"
DRAFT = "Wrote half of it before the door closed"
OTHER_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.failure("A08", "A22")
def test_a_lost_password_is_replaced_by_mail_and_opens_nothing_any_more(site: Site, page: Page) -> None:
    name = people.new_name()
    site.secrets.add(NEW_PASSWORD)
    people.sign_up(page, passkey=site.stack.create_passkey(), name=name)
    with site.elsewhere() as other:
        other.goto("/accounts/password/reset/")
        other.locator("#id_email").fill(f"{name}@example.org")
        other.get_by_role("button", name="Send me a link").click()
        expect(other.get_by_role("heading", level=1)).to_have_text("Look in your mail")
        link = site.wait_for_link(f"{name}@example.org", "Choose a new password")
        other.goto(link)
        assert link not in other.url
        other.locator("#id_password").fill(NEW_PASSWORD)
        other.get_by_role("button", name="Set password").click()
        expect(other.locator("#toasts")).to_contain_text("Your new password is set")

        other.goto(link)
        other.locator("#id_password").fill("a third horse altogether")
        other.get_by_role("button", name="Set password").click()
        expect(other.get_by_role("heading", level=1)).to_have_text("This link has ended")
        people.give_password(other, name=name)
        expect(other.get_by_role("main")).to_contain_text("The username or password is not right.")
        people.sign_in(other, name=name, password=NEW_PASSWORD)
    page.goto("/worklog/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    expect(page.locator("#toasts")).to_contain_text(ENDED)


@pytest.mark.failure("A11", "A14")
def test_a_session_that_is_ended_elsewhere_dies_at_once_and_loses_nothing_typed(site: Site, page: Page) -> None:
    name, stranger = people.new_name(), people.new_name()
    with site.elsewhere() as other:
        people.sign_up(other, passkey=site.stack.create_passkey(), name=stranger)
    people.sign_up(page, passkey=site.stack.create_passkey(), name=name)
    page.goto("/worklog/quick-add/")
    page.get_by_label("What you did").fill(DRAFT)
    with site.elsewhere(user_agent=OTHER_BROWSER) as other:
        people.sign_in(other, name=name)
        sign_out_the_other(other)
        # The poll of the status bar finds out; the page that was open is left, not written over.
        page.evaluate("document.body.dispatchEvent(new CustomEvent('tab-shown'))")
        expect(page).to_have_url(re.compile(r"/accounts/login/\?next=.*quick-add"))
        expect(page.locator("#toasts")).to_contain_text(ENDED)
        people.sign_in(page, name=name)
        expect(page).to_have_url(re.compile("/worklog/quick-add/$"))
        expect(page.get_by_label("What you did")).to_have_value(DRAFT)
        expect(page.locator("#toasts")).to_contain_text("What you had typed is back.")

        page.goto("/billing/ledger/")
        page.keyboard.press("n")
        page.get_by_label("What you did").fill(DRAFT)
        sign_out_the_other(other)
        page.keyboard.press("Control+Enter")
        expect(page).to_have_url(re.compile(r"/accounts/login/\?next=/billing/ledger/$"))
    # Another person at the same browser finds nothing of it.
    people.sign_in(page, name=stranger)
    page.goto("/worklog/quick-add/")
    expect(page.get_by_label("What you did")).to_have_value("")
    assert DRAFT not in page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")


def sign_out_the_other(page: Page) -> None:
    page.goto("/profile/security/")
    page.get_by_role("link", name=re.compile("^Sign out .*Chrome")).click()
    page.get_by_role("dialog").get_by_role("button", name="Sign it out").click()
    expect(page.locator("#toasts")).to_contain_text("is signed out.")


@pytest.mark.failure("A10", "T20")
def test_who_logs_out_while_the_backend_is_away_is_out_and_the_token_dies_later(site: Site, page: Page) -> None:
    name = people.new_name()
    people.sign_up(page, passkey=site.stack.create_passkey(), name=name)
    page.goto("/worklog/quick-add/")
    page.get_by_label("What you did").fill(DRAFT)
    token = site.read_session_token(page)
    me, headers = f"{site.stack.urls.backend}/api/me/", {"Authorization": f"Token {token}"}
    assert httpx.get(me, headers=headers, trust_env=False).status_code == 200
    site.stack.stop_program("backend")
    try:
        people.sign_out(page)
        expect(page.locator("#id_login")).to_be_visible()
        page.go_back()
        expect(page.locator("#id_login")).to_be_visible()
        assert DRAFT not in page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")
    finally:
        site.stack.start_program("backend")
    assert "1 revoked, 0 still waiting" in site.stack.manage("frontend", "revoke_pending")
    assert httpx.get(me, headers=headers, trust_env=False).status_code == 401
