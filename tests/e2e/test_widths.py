"""No text makes a page wider than its window: not a word without a break, not a paragraph of one letter."""

import re

import pytest
from playwright.sync_api import Page, expect

from devstack.stack import Stack
from tests.e2e import people

LONG_WORD = "Wort" + "x" * 196
WIDTH = "document.documentElement.scrollWidth"


@pytest.mark.parametrize("width", [1280, 360])
def test_a_word_without_a_break_stays_inside_the_page(stack: Stack, page: Page, width: int) -> None:
    people.sign_up(page, passkey=stack.create_passkey(), name=people.new_name())
    people.add_entry(page, LONG_WORD)
    people.make_report(page)
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate(WIDTH) == width
    page.goto("/worklog/")
    assert page.evaluate(WIDTH) == width
    page.get_by_role("link", name=LONG_WORD).click()
    expect(page).to_have_url(re.compile(r"/worklog/[0-9a-f-]{36}/"))
    assert page.evaluate(WIDTH) == width
