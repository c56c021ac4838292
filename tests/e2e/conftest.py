"""One product for all end-to-end tests, started by the code that `./taskw up` runs, and a real browser."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from devstack.stack import Stack
from tests.e2e import people
from tests.e2e.site import PATIENCE_MS, Site, address_of_pages, watched

NAMES = ("chromium", "chromium-browser", "google-chrome")
# As root Chromium needs --no-sandbox; the rest keeps it from looking for hosts outside.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The model is behind HTTP and keeps a journal of what it was told."""
    stack = Stack()
    model = {"LLM_BASE_URL": f"{stack.urls.llm}/v1", "LLM_API_KEY": "key", "LLM_MODEL": "gpt-4o-mini"}
    stack.update_env({"FRONTEND_BASE_URL": address_of_pages(stack), **model})
    with stack:
        yield stack


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as driver:
        yield driver


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a run leaves behind is looked at when it is over."""
    items.sort(key=lambda item: item.path.name == "test_traces.py")


def find_chromium() -> str | None:
    """The browser of the system; None means Playwright's own. A missing browser fails at launch, it never skips."""
    chosen = os.environ.get("CHROMIUM")
    return chosen or next((path for path in map(shutil.which, NAMES) if path), None)


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def site(browser: Browser, stack: Stack) -> Site:
    return Site(stack=stack, browser=browser)


@pytest.fixture(scope="session")
def staff(site: Site) -> Iterator[Page]:
    """The admin, signed in once with a second factor."""
    with site.elsewhere() as page:
        people.sign_in_as_staff(page, site.stack)
        yield page


@pytest.fixture
def context(site: Site) -> Iterator[BrowserContext]:
    context = site.new_context()
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    with watched(context.new_page()) as page:
        yield page
