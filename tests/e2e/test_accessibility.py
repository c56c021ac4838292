"""WCAG 2.2 AA by axe, on every page, in both themes."""

import json
from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from playwright.sync_api import BrowserContext, Page

from devstack.stack import Stack
from tests.e2e import people

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = f"async () => (await axe.run(document, {{runOnly: {json.dumps(RULES)}}})).violations"
OPEN_PAGES = ("/accounts/login/", "/profile/signup-with-passkey/")
PAGES = (
    "/",
    "/worklog/",
    "/worklog/quick-add/",
    "/reporting/",
    "/reporting/generate/",
    "/jobs/",
    "/billing/settings/",
    "/billing/ledger/",
    "/billing/usage/",
    "/profile/",
    "/no-such-page/",
)


def find_violations(page: Page) -> list[str]:
    """What axe holds against the page: rule, page, and where."""
    page.evaluate(AXE)
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [f"{item['id']}: {[node['target'] for node in item['nodes']]} on {page.url}" for item in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(stack: Stack, context: BrowserContext, page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    problems = []
    for address in OPEN_PAGES:
        page.goto(address)
        problems += find_violations(page)
    people.sign_up(page, passkey=stack.create_passkey(), name=people.new_name())
    people.add_entry(page, people.TITLES[0])
    people.make_report(page)
    page.wait_for_timeout(300)
    problems += find_violations(page)
    page.goto("/worklog/")
    entry = page.get_by_role("link", name=people.TITLES[0]).first.get_attribute("href")
    assert entry
    for address in (*PAGES, entry):
        page.goto(address)
        page.wait_for_timeout(300)
        problems += find_violations(page)
    page.goto("/")
    page.keyboard.press("n")
    page.get_by_label("What you did").wait_for()
    page.wait_for_timeout(300)
    problems += find_violations(page)
    assert not problems, "\n".join(problems)
