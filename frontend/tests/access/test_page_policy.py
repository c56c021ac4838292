"""No page runs a script that is not a file of ours, and the browser is told so with every answer."""

import json
import re
from typing import Any, Final

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from tests.access.crawl import crawl
from tests.access.markup import body_of, faults_in, htmx_calls_in, is_page, nonce_of
from tests.access.test_matrix import HTMX
from tests.access.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.failure("D07")]

# Where a form may lead to beside our own pages.
PAYMENT_PAGES: Final = {
    ("form-action", "https://checkout.stripe.com"),
    ("form-action", "https://billing.stripe.com"),
}
ODD: Final = ("/nowhere/", "/worklog/nothing/", f"/?q={'x' * 5000}", "/static/app/mark.svg", "/reporting")


def policy_of(response: Any) -> dict[str, list[str]]:
    said = response.headers["Content-Security-Policy"]
    return {words[0]: words[1:] for words in (part.split() for part in said.split(";")) if words}


def faults_of(response: Any) -> list[str]:
    """What is wrong with an answer's policy, and what in the page would need a weaker one."""
    policy = policy_of(response)
    sources = {source for name, listed in policy.items() for source in listed if (name, source) not in PAYMENT_PAGES}
    allowed = {"'self'", "'none'", "data:"} | {f"'nonce-{nonce_of(response)}'"}
    faults = [f"{source} in the policy" for source in sources - allowed]
    closed = ("default-src", "object-src", "frame-ancestors", "base-uri")
    faults += [f"{name} is open" for name in closed if policy.get(name) != ["'none'"]]
    if "data:" in policy.get("script-src", []):
        faults.append("scripts from data:")
    return faults + (faults_in(response) if is_page(response) else [])


@pytest.mark.parametrize("caller", ["staff", "anonymous", "member"])
def test_every_answer_has_the_policy_and_no_page_needs_a_weaker_one(caller: str, world: World) -> None:
    found = {operation: faults_of(answer) for operation, answer in crawl(world, caller=caller)}
    assert {operation: faults for operation, faults in found.items() if faults} == {}


@pytest.mark.parametrize("path", ODD)
def test_what_is_no_page_of_ours_has_the_policy_too(path: str, world: World) -> None:
    assert faults_of(Client().get(path)) == []


def test_a_page_that_broke_has_the_policy_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.shell.views.JsonResponse", None)
    answer = Client(raise_request_exception=False).get("/health/")
    assert answer.status_code == 500
    assert faults_of(answer) == []


def test_a_nonce_is_good_for_one_answer(world: World) -> None:
    browser = Client()
    assert nonce_of(browser.get("/accounts/login/")) != nonce_of(browser.get("/accounts/login/"))


def test_htmx_evaluates_nothing_and_asks_nobody_else(world: World) -> None:
    pages = [body_of(answer) for _, answer in crawl(world) if is_page(answer)]
    configured = [re.search(r"name=\"htmx-config\" content='([^']+)'", page) for page in pages if "<head>" in page]
    said = {found[1] for found in configured if found}
    assert all(configured)
    assert len(configured) > 40
    for one in said:
        config = json.loads(one)
        assert (config["allowEval"], config["selfRequestsOnly"], config["historyCacheSize"]) == (False, True, 0)


def test_what_htmx_asks_for_never_answers_with_a_redirect_that_it_would_follow(world: World) -> None:
    calls = {call for _, answer in crawl(world) if is_page(answer) for call in htmx_calls_in(answer)}
    operations = {f"{method} {name_of(address)}" for method, address in calls}
    assert len(operations) > 10
    assert {operation for operation in operations if "follow" in HTMX[operation].values()} == set()


def name_of(address: str) -> str:
    path = address.split("?", maxsplit=1)[0]
    try:
        return resolve(path).view_name
    except Resolver404:
        return path
