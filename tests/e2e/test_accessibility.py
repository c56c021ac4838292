"""WCAG 2.2 AA by axe, on every page, in both themes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import axe_core_python
from playwright.sync_api import Page

from tests.e2e import tours
from tests.e2e.site import Site

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
RUN = f"async () => (await axe.run(document, {{runOnly: {json.dumps(RULES)}}})).violations"


def find_violations(page: Page) -> list[str]:
    """What axe holds against the page: rule, page, and where."""
    page.evaluate(AXE)
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [f"{item['id']}: {[node['target'] for node in item['nodes']]} on {page.url}" for item in found]


def assert_suitable(page: Page, walk: Iterator[str]) -> None:
    """At each stop: axe in both themes, and no scrolling sideways on a telephone."""
    problems = []
    for stop in walk:
        # What a page fetches for itself has come by then.
        page.wait_for_timeout(300)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            problems += [f"{stop}, {scheme}: {found}" for found in find_violations(page)]
        page.set_viewport_size({"width": 360, "height": 740})
        if page.evaluate("document.documentElement.scrollWidth") > 360:
            problems.append(f"{stop} scrolls sideways")
        page.set_viewport_size({"width": 1280, "height": 900})
    assert not problems, "\n".join(problems)


def test_pages_of_the_worklog_suit_everybody(site: Site, page: Page) -> None:
    assert_suitable(page, tours.walk_through_worklog(site, page))


def test_pages_of_money_suit_everybody(site: Site, page: Page) -> None:
    assert_suitable(page, tours.walk_through_money(site, page))


def test_pages_of_accounts_suit_everybody(site: Site, page: Page) -> None:
    assert_suitable(page, tours.walk_through_account(site, page))


def test_pages_of_staff_suit_everybody(site: Site, page: Page, staff: Page) -> None:
    assert_suitable(staff, tours.walk_through_staff_pages(site, page, staff))
