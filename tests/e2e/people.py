"""People in a browser: signing up, writing entries, making a report, as a person's hands do it."""

import itertools
import time
from collections.abc import Sequence

from playwright.sync_api import Page, expect

from devstack.stack import Stack

PASSWORD = "correct horse battery"
TITLES = ("Cut invoice run from 40 to 6 min", "Moved 14 services to Kubernetes", "Mentored two juniors")

_numbers = itertools.count(1)
_taken_codes: set[str] = set()


def new_name() -> str:
    return f"ada{time.monotonic_ns()}{next(_numbers)}"


def sign_up(page: Page, *, passkey: str, name: str) -> None:
    """Comes with an invite passkey and ends on the dashboard."""
    page.goto("/profile/signup-with-passkey/")
    page.get_by_label("Invite passkey").fill(passkey)
    page.get_by_label("Username").fill(name)
    page.get_by_label("E-mail").fill(f"{name}@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#status-bar")).to_contain_text("$")


def give_password(page: Page, *, name: str, password: str = PASSWORD) -> None:
    """Stays on the sign-in page when it is open already: it knows where the person wanted to go."""
    if "/accounts/login/" not in page.url:
        page.goto("/accounts/login/")
    page.get_by_label("Username or e-mail").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def sign_in(page: Page, *, name: str, password: str = PASSWORD) -> None:
    give_password(page, name=name, password=password)
    expect(page.locator("#status-bar")).to_be_visible()


def take_admin_code(stack: Stack) -> str:
    """What the admin's app shows; each code is taken once, so a second sign-in waits for the next half minute."""
    while (code := stack.admin_code) in _taken_codes:
        time.sleep(0.5)
    _taken_codes.add(code)
    return code


def sign_in_as_staff(page: Page, stack: Stack) -> None:
    give_password(page, name=stack.admin_username, password=stack.admin_password)
    page.locator("#id_code").fill(take_admin_code(stack))
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#status-bar")).to_be_visible()


def sign_out(page: Page) -> None:
    page.get_by_label("Your menu").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/accounts/login/**")


def add_entry(page: Page, title: str) -> None:
    """Presses n, types one line, saves with Ctrl+Enter; the page stays where it was."""
    before = page.url
    # Before htmx is there, or has seen the form, the same keys save it by an ordinary request and lead to the worklog.
    page.wait_for_load_state("load")
    page.keyboard.press("n")
    field = page.get_by_label("What you did")
    expect(field).to_be_focused()
    # htmx listens to new content in the same breath in which it takes this class from it.
    expect(page.locator("#modal-slot .htmx-added")).to_have_count(0)
    field.fill(title)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text(f"Saved: {title}")
    expect(field).to_have_count(0)
    assert page.url == before


def add_entries(page: Page, titles: Sequence[str] = TITLES) -> None:
    for title in titles:
        add_entry(page, title)


def make_report(page: Page) -> None:
    """Chooses everything of this quarter, looks at the price, writes, and waits for the document."""
    page.goto("/reporting/generate/")
    expect(page.locator("#estimate")).to_contain_text("at most")
    page.get_by_role("button", name="Write the document").click()
    page.wait_for_url("**/reporting/*-*/")
    expect(page.locator(".paper")).to_be_visible(timeout=40_000)
