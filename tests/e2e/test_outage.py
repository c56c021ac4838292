"""The backend goes away and comes back: calm pages, kept values, no reload of the service."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from devstack.stack import Stack
from tests.e2e import people


@pytest.fixture
def signed_in(stack: Stack, page: Page) -> Page:
    people.sign_up(page, passkey=stack.create_passkey(promo_credit="5.00"), name=people.new_name())
    expect(page.locator("#status-bar")).to_contain_text("$5.00")
    return page


def poll_now(page: Page) -> None:
    """What a tab does that is shown again."""
    page.evaluate("document.body.dispatchEvent(new CustomEvent('tab-shown'))")


def test_an_outage_is_calm_and_heals_by_itself(stack: Stack, signed_in: Page) -> None:
    page, bar = signed_in, signed_in.locator("#status-bar")
    frontend = stack.pid("frontend")
    stack.stop_program("backend")
    try:
        for seconds in (30, 60, 120, 120):
            poll_now(page)
            expect(bar).to_have_attribute("data-poll-seconds", str(seconds))
            expect(bar).to_contain_text("$5.00")
            expect(bar).to_contain_text("offline")
            page.wait_for_timeout(300)
        started = time.monotonic()
        answer = page.goto("/worklog/")
        assert answer is not None
        assert answer.status == 503
        assert time.monotonic() - started < 10
        expect(page.get_by_role("main")).to_contain_text(re.compile("try again", re.IGNORECASE))
        expect(bar).to_contain_text("$5.00")
        health = page.request.get("/health/")
        assert health.status == 200
    finally:
        stack.start_program("backend")
    page.goto("/worklog/")
    expect(page.get_by_role("heading", name="Worklog")).to_be_visible()
    expect(bar).not_to_contain_text("offline")
    expect(bar).to_have_attribute("data-poll-seconds", "30")
    assert stack.pid("frontend") == frontend


def test_an_entry_typed_during_an_outage_is_kept_and_saved_once(stack: Stack, signed_in: Page) -> None:
    page = signed_in
    page.keyboard.press("n")
    page.get_by_label("What you did").fill("Wrote through an outage")
    stack.stop_program("backend")
    try:
        page.keyboard.press("Control+Enter")
        expect(page.get_by_label("What you did")).to_have_value("Wrote through an outage")
        expect(page.get_by_role("dialog")).to_contain_text(re.compile("try again|not answer|reach", re.IGNORECASE))
    finally:
        stack.start_program("backend")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("Saved: Wrote through an outage")
    page.goto("/worklog/")
    expect(page.get_by_role("link", name="Wrote through an outage")).to_have_count(1)
