"""Paying in a browser: to the payment page and back, and what the payment provider knows of it."""

import re
from typing import Any, Final

import httpx
from playwright.sync_api import Page, expect

from devstack.stack import Stack
from tests.e2e import people

PAID: Final = "4242 4242 4242 4242"
DECLINED: Final = "4000 0000 0000 0002"
ASKS: Final = "4000 0027 6000 3184"
# Of what a message of the provider's brings about: the message, the worker, and the page that is looked at again.
PATIENCE_MS: Final = 30_000


def go_to_payment(page: Page, dollars: str = "10", *, keeps_card: bool = False) -> None:
    """Chooses the amount and ends on the payment page."""
    page.goto("/billing/topup/")
    page.get_by_label(f"${dollars}", exact=True).check()
    if keeps_card:
        page.get_by_label("Keep this card").check()
    page.get_by_role("button", name="Continue to payment").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Pay ${dollars}.00")


def type_card(page: Page, number: str, *, payer: str = "somebody") -> None:
    page.get_by_label("E-mail").fill(f"{payer}@example.org")
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expires").fill("12 / 34")
    page.get_by_label("Security code").fill("123")
    page.keyboard.press("Enter")


def top_up(page: Page, dollars: str = "10", *, payer: str = "somebody", keeps_card: bool = False) -> None:
    """Ends on the page that says that the money has arrived."""
    go_to_payment(page, dollars, keeps_card=keeps_card)
    type_card(page, PAID, payer=payer)
    expect_arrival(page, dollars)


def expect_arrival(page: Page, dollars: str = "10") -> None:
    page.wait_for_url("**/billing/topup/return/**")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"${dollars}.00 arrived", timeout=PATIENCE_MS)


def expect_in_ledger(page: Page, *words: str) -> None:
    """Looks again and again until one movement says all of it."""
    page.goto("/billing/ledger/")
    rows = page.locator("#ledger tbody tr")
    for _ in range(PATIENCE_MS // 1000):
        if any(all(word in text for word in words) for text in rows.all_inner_texts()):
            return
        page.wait_for_timeout(1000)
        page.reload()
    raise AssertionError(f"no {words} in the ledger, but: {rows.all_inner_texts()}")


def count_movements(page: Page, kind: str) -> int:
    page.goto("/billing/ledger/")
    return page.locator("#ledger .tag", has_text=re.compile(f"^{kind}$")).count()


def payments_of(stack: Stack, payer: str) -> list[Any]:
    """What the provider knows of the payments of the customer who once paid under this name, newest first."""
    headers = {"Authorization": f"Bearer {stack.env['STRIPE_SECRET_KEY']}"}
    with httpx.Client(base_url=f"{stack.urls.stripe}/v1", headers=headers, trust_env=False) as provider:
        sessions = provider.get("/checkout/sessions", params={"limit": 100}).json()["data"]
        paid = [one for one in sessions if (one["customer_details"] or {}).get("email") == f"{payer}@example.org"]
        found: list[Any] = provider.get("/payment_intents", params={"customer": paid[0]["customer"]}).json()["data"]
        return found


def at_provider(stack: Stack, path: str, **body: object) -> Any:
    """What a bank or somebody at the provider does, beside the API."""
    answer = httpx.post(f"{stack.urls.stripe}/_{path}", json=body, trust_env=False)
    answer.raise_for_status()
    return answer.json()


def forget_faults(stack: Stack) -> None:
    httpx.delete(f"{stack.urls.stripe}/_knobs", trust_env=False).raise_for_status()


def sign_up(page: Page, stack: Stack) -> str:
    """Somebody new with five dollars of credit; returns the name."""
    name = people.new_name()
    people.sign_up(page, passkey=stack.create_passkey(promo_credit="5.00"), name=name)
    return name
