"""Ledger and usage: exact, explained, page by page."""

import pytest
from django.test import Client
from django.utils.html import escape

from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX

MONEY_PAGES = ["/billing/settings/", "/billing/ledger/", "/billing/usage/"]


@pytest.mark.parametrize("path", MONEY_PAGES)
def test_the_signed_out_are_sent_to_sign_in(client: Client, db: None, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", MONEY_PAGES)
def test_without_a_backend_there_is_a_calm_page(signed_in: Client, fake_backend: FakeBackend, path: str) -> None:
    fake_backend.stop()
    assert signed_in.get(path).status_code == 503


@pytest.mark.parametrize("path", MONEY_PAGES)
def test_money_and_token_stay_out_of_the_browsers_history(
    signed_in: Client, fake_backend: FakeBackend, path: str
) -> None:
    page = signed_in.get(path).content.decode()
    assert 'hx-history="false"' in page
    assert not [token for token in fake_backend.tokens if token in page]


@pytest.mark.parametrize("path", ["/billing/ledger/", "/billing/usage/"])
def test_whole_and_part_are_not_mixed_up_by_caches(signed_in: Client, path: str) -> None:
    assert "HX-Request" in signed_in.get(path).headers["Vary"]


def test_each_movement_has_its_sign_its_digits_and_its_reason(signed_in: Client, fake_backend: FakeBackend) -> None:
    credit = shapes.ledger_entry(kind="promo_credit", amount_micros=5_000_000, job_id=None, lines=[], description="")
    fake_backend.ledger.extend([shapes.ledger_entry(), credit | {"kind_label": "Promotional credit"}])
    page = signed_in.get("/billing/ledger/").content.decode()
    for told in (
        "\N{MINUS SIGN}$0.000372",
        "+$5.00",
        "$4.199628",
        "1,240 input tokens x $0.15/1M",
        "Promotional credit",
    ):
        assert told in page
    assert page.count(">Job</a>") == 1


def test_an_empty_ledger_says_what_will_be_here(signed_in: Client) -> None:
    assert "Nothing has moved yet" in signed_in.get("/billing/ledger/").content.decode()


def test_filters_reach_the_backend_and_swap_the_table(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.get("/billing/ledger/?kind=usage&from=2026-11-01&to=2026-11-30", headers=HTMX)
    asked = fake_backend.calls_of("GET", "/api/billing/reserve/ledger/")[0].query
    assert (asked["kind"], asked["from"], asked["to"]) == ("usage", "2026-11-01", "2026-11-30")
    assert "Clear the filters" in response.content.decode()
    assert "<html" not in response.content.decode()


@pytest.mark.parametrize("query", ["kind=gifts", "from=soon", "from=2026-11-02&to=2026-11-01"])
def test_a_filter_that_makes_no_sense_is_said_and_left_out(
    signed_in: Client, fake_backend: FakeBackend, query: str
) -> None:
    page = signed_in.get(f"/billing/ledger/?{query}").content.decode()
    assert "field-errors" in page
    assert fake_backend.calls_of("GET", "/api/billing/reserve/ledger/")[0].query.get("kind") is None


@pytest.mark.parametrize("path", ["/billing/ledger/?", "/billing/usage/?by=each&"])
def test_further_rows_follow_in_place(signed_in: Client, fake_backend: FakeBackend, path: str) -> None:
    fake_backend.ledger.extend(shapes.ledger_entry() for _ in range(26))
    fake_backend.usage.extend(shapes.usage_event() for _ in range(26))
    assert escape(f'hx-get="{path}cursor=25"') in signed_in.get(path).content.decode().replace('"', "&quot;")
    more = signed_in.get(f"{path}cursor=25", headers=HTMX).content.decode()
    assert more.count("<tr") == 1
    assert "<table" not in more


def test_usage_tells_tokens_and_arithmetic(signed_in: Client, fake_backend: FakeBackend) -> None:
    tokens = {"input": 1240, "cached_input": 7, "cache_write": 8, "output": 310, "reasoning": 9}
    fake_backend.usage.append(shapes.usage_event(tokens=tokens))
    page = signed_in.get("/billing/usage/?by=each").content.decode()
    for told in ("1240 in", "7 cached", "8 written to cache", "310 out", "9 reasoning", "= $0.000372"):
        assert told in page


def test_no_usage_says_what_to_do(signed_in: Client) -> None:
    assert "Nothing was metered yet" in signed_in.get("/billing/usage/").content.decode()
