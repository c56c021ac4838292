"""WCAG 2.2 AA by axe, on every page, in both themes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from playwright.sync_api import BrowserContext, Page

from devstack.stack import Stack
from tests.e2e import people, tours
from tests.e2e.site import Site

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = f"async () => (await axe.run(document, {{runOnly: {json.dumps(RULES)}}})).violations"


def find_violations(page: Page) -> list[str]:
    """What axe holds against the page: rule, page, and where."""
    page.wait_for_timeout(300)
    page.evaluate(AXE)
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [f"{item['id']}: {[node['target'] for node in item['nodes']]} on {page.url}" for item in found]


def look_at(page: Page, *addresses: str) -> list[str]:
    problems = []
    for address in addresses:
        page.goto(address)
        problems += find_violations(page)
    return problems


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(stack: Stack, context: BrowserContext, page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    problems = look_at(page, *tours.OPEN_PAGES)
    people.sign_up(page, passkey=stack.create_passkey(), name=people.new_name())
    people.add_entry(page, people.TITLES[0])
    people.make_report(page)
    problems += find_violations(page)
    page.goto("/worklog/")
    entry = page.get_by_role("link", name=people.TITLES[0]).first.get_attribute("href")
    assert entry
    problems += look_at(page, *tours.PAGES, entry, "/")
    page.keyboard.press("n")
    page.get_by_label("What you did").wait_for()
    problems += find_violations(page)
    assert not problems, "\n".join(problems)


def test_pages_of_accounts_suit_everybody(site: Site, page: Page) -> None:
    assert_suitable(page, tours.walk_through_account(site, page))


def test_pages_of_staff_suit_everybody(site: Site, page: Page, staff: Page) -> None:
    assert_suitable(staff, tours.walk_through_staff_pages(site, page, staff))


def assert_suitable(page: Page, walk: Iterator[str]) -> None:
    """At each stop: axe in both themes, and no scrolling sideways on a telephone."""
    problems = []
    for stop in walk:
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            problems += [f"{stop}, {scheme}: {found}" for found in find_violations(page)]
        page.set_viewport_size({"width": 360, "height": 740})
        if page.evaluate("document.documentElement.scrollWidth") > 360:
            problems.append(f"{stop} scrolls sideways")
        page.set_viewport_size({"width": 1280, "height": 900})
    assert not problems, "\n".join(problems)
