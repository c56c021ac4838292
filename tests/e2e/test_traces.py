"""What a run leaves behind: no secret in any log, and nothing of one customer in the model's or another's hands."""

import json
import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from devstack.stack import Stack
from tests.e2e import people, tours
from tests.e2e.site import Site

# Typed into the wrong field, as it happens.
MISPLACED = "my-secret-in-the-name-field"
WRONG = "a-password-that-is-nearly-right"


def make_document(site: Site, page: Page, marker: str) -> None:
    people.sign_up(page, passkey=site.stack.create_passkey(), name=people.new_name())
    people.add_entry(page, f"Did the work of {marker}")
    people.make_report(page)


def read_prompts(stack: Stack) -> list[str]:
    """What the model was told: its own journal is the truth that ours is held against."""
    journal = httpx.get(f"{stack.urls.llm}/_journal", trust_env=False).json()
    return [json.dumps(call["body"], ensure_ascii=False) for call in journal["calls"]]


def own_secrets(stack: Stack) -> set[str]:
    """Of the installation: its keys and the admin's ways in."""
    lines = (stack.data_dir / "secrets.env").read_text().splitlines()
    keys = {value for _, _, value in (line.partition("=") for line in lines) if value}
    factor, *codes = (stack.data_dir / "admin-second-factor").read_text().splitlines()
    secret = re.search(r"secret=([A-Z2-7]+)", factor)
    assert secret is not None
    return {*keys, *codes, secret[1], stack.admin_password}


@pytest.mark.failure("T19", "T04", "A17")
def test_nothing_of_another_customer_and_no_token_reaches_model_or_browser(site: Site, page: Page) -> None:
    mine, theirs = f"mine{people.new_name()}", f"theirs{people.new_name()}"
    with site.elsewhere() as other:
        make_document(site, other, theirs)
        their_document = other.url
    make_document(site, page, mine)
    prompts = read_prompts(site.stack)
    about_me = [prompt for prompt in prompts if mine in prompt]
    assert about_me
    assert any(theirs in prompt for prompt in prompts)
    assert not any(theirs in prompt for prompt in about_me)

    token = site.read_session_token(page)
    told: list[str] = []
    page.on("response", lambda answer: told.append(f"{answer.url} {answer.headers}"))
    for address in (*tours.PAGES, *tours.ACCOUNT_PAGES, f"/worklog/?q={theirs}", page.url):
        page.goto(address)
        told.append(page.content())
    told.append(page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"))
    told.append(json.dumps(page.context.cookies()))
    answer = page.goto(their_document)
    assert answer is not None
    assert answer.status == 404
    assert any(mine in text for text in told)
    assert not [text[:200] for text in told if token in text]
    assert not [
        text[:200] for text in told if theirs in text.replace(f"q={theirs}", "").replace(f'value="{theirs}"', "")
    ]


@pytest.mark.failure("T16", "A17")
def test_no_log_tells_a_secret_or_what_somebody_wrote(site: Site, page: Page) -> None:
    stack, name, marker = site.stack, people.new_name(), f"written{people.new_name()}"
    people.sign_up(page, passkey=stack.create_passkey(), name=name)
    people.add_entry(page, f"Did the work of {marker}")
    people.make_report(page)
    page.goto(site.wait_for_link(f"{name}@example.org", "Please confirm"))
    page.get_by_role("button", name="Confirm address").click()
    with site.elsewhere() as other:
        other.goto("/accounts/password/reset/")
        other.locator("#id_email").fill(f"{name}@example.org")
        other.get_by_role("button", name="Send me a link").click()
        other.goto(site.wait_for_link(f"{name}@example.org", "Choose a new password"))
        people.give_password(other, name=name, password=WRONG)
        people.give_password(other, name=MISPLACED, password=WRONG)
        expect(other.get_by_role("alert")).to_be_visible()
    token = site.read_session_token(page)
    httpx.get(f"{stack.urls.backend}/api/me/", headers={"Authorization": f"Token {token}"}, trust_env=False)
    secrets = {*site.secrets, *own_secrets(stack), people.PASSWORD, MISPLACED, WRONG, marker}
    logs = {path.name: path.read_text(errors="replace") for path in stack.log_path("backend").parent.glob("*.log")}
    assert "/accounts/password/reset/" in logs["frontend.log"]
    found = [(log, secret) for log, text in logs.items() for secret in secrets if secret in text]
    assert not found
