"""Staff at the front door of Django admin, in a browser."""

from playwright.sync_api import Page, expect

from devstack.stack import Stack
from tests.e2e import people


def test_staff_come_in_with_password_and_code(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.urls.backend}/admin/")
    page.get_by_label("Username").fill(stack.admin_username)
    page.get_by_label("Password").fill(stack.admin_password)
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text("Enter the code of your second factor.")
    page.get_by_label("Password").fill(stack.admin_password)
    page.get_by_label("Second factor").fill(people.take_admin_code(stack))
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text("Running the place")
