"""The main job in a real browser: from an invite passkey to a PDF and its debit in the ledger."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from devstack.stack import Stack
from tests.e2e import people


def read_pdf(path: Path) -> str:
    return " ".join(page.extract_text() for page in PdfReader(path).pages)


def test_a_newcomer_gets_a_document_and_sees_its_cost(stack: Stack, page: Page, tmp_path: Path) -> None:
    people.sign_up(page, passkey=stack.create_passkey(promo_credit="5.00"), name=people.new_name())
    expect(page.locator("#status-bar")).to_contain_text("$5.00")
    people.add_entries(page)

    page.goto("/worklog/")
    for title in people.TITLES:
        expect(page.get_by_role("main")).to_contain_text(title)

    people.make_report(page)
    bullets = page.locator("[data-bullet]")
    expect(bullets).to_have_count(3)
    bullets.first.get_by_role("button", name=re.compile("^Evidence")).click()
    expect(page.locator("#evidence .sources > li:visible")).to_have_count(1)

    with page.expect_download() as download:
        page.get_by_role("link", name="PDF").click()
    pdf = tmp_path / "report.pdf"
    download.value.save_as(pdf)
    with page.expect_download() as download:
        page.get_by_role("link", name="Markdown").click()
    markdown = tmp_path / "report.md"
    download.value.save_as(markdown)
    for title in people.TITLES:
        assert title in " ".join(read_pdf(pdf).split())
        assert title in markdown.read_text()

    page.goto("/billing/ledger/")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Usage")
    expect(rows.first).to_contain_text(re.compile(r"\u2212\$0\.0\d+"))
    rows.first.get_by_text("Why this cost").click()
    expect(rows.first).to_contain_text(re.compile(r"input tokens .* output .* = \$0\.0\d+"))
    expect(rows.last).to_contain_text("+$5.00")
    expect(page.locator("#status-bar")).to_contain_text("$4.99")


def test_the_status_bar_notices_a_finished_job_at_once(stack: Stack, page: Page) -> None:
    people.sign_up(page, passkey=stack.create_passkey(promo_credit="5.00"), name=people.new_name())
    people.add_entry(page, people.TITLES[0])
    people.make_report(page)
    # Far sooner than the thirty seconds of its poll.
    expect(page.locator("#status-bar")).to_contain_text("$4.99", timeout=8_000)


def test_a_used_invite_passkey_says_so_and_loses_nothing_typed(stack: Stack, page: Page) -> None:
    passkey = stack.create_passkey()
    people.sign_up(page, passkey=passkey, name=people.new_name())
    page.context.clear_cookies()
    page.goto("/profile/signup-with-passkey/")
    page.get_by_label("Invite passkey").fill(passkey)
    page.get_by_label("Username").fill("second")
    page.get_by_label("E-mail").fill("second@example.org")
    page.get_by_label("Password", exact=True).fill(people.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Passkey has already been used")).to_be_visible()
    expect(page.get_by_label("Username")).to_have_value("second")


def test_signing_out_ends_the_token_as_well(stack: Stack, page: Page) -> None:
    name = people.new_name()
    people.sign_up(page, passkey=stack.create_passkey(), name=name)
    people.sign_out(page)
    page.goto("/worklog/")
    assert "/accounts/login/" in page.url
    assert "worklog" in page.url
    left = stack.manage("backend", "shell", "-v", "0", "-c", count_tokens_of(name)).strip()
    assert left.splitlines()[-1] == "0"


def count_tokens_of(name: str) -> str:
    return f"from apps.accounts.models import ApiToken; print(ApiToken.objects.filter(user__username='{name}').count())"


def test_a_dead_token_leads_to_the_login_once(stack: Stack, page: Page) -> None:
    name = people.new_name()
    people.sign_up(page, passkey=stack.create_passkey(), name=name)
    kill = f"from apps.accounts.models import ApiToken; ApiToken.objects.filter(user__username='{name}').delete()"
    stack.manage("backend", "shell", "-v", "0", "-c", kill)
    page.goto("/billing/ledger/")
    assert "/accounts/login/" in page.url
    people.sign_in(page, name=name)
    page.goto("/billing/ledger/")
    assert page.url.endswith("/billing/ledger/")


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_scrolls_sideways(stack: Stack, page: Page, width: int) -> None:
    people.sign_up(page, passkey=stack.create_passkey(), name=people.new_name())
    people.add_entry(page, "A rather long title that says what was done, for whom, and with what result in the end")
    people.make_report(page)
    report = page.url
    page.set_viewport_size({"width": width, "height": 740})
    for address in ("/", "/worklog/", "/reporting/", "/reporting/generate/", report, "/jobs/", "/billing/ledger/"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
