"""Usage: sums by what one asks, and each cost reckoned again."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from django.test import Client

from tests.fakes import money_shapes as money
from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX
from tests.fakes.server import Reply

PAGE = "/billing/usage/"
ASKED = "/api/billing/usage/"


def page_of(client: Client, query: str = "") -> str:
    return client.get(f"{PAGE}{query}").content.decode()


def test_sums_of_the_last_thirty_days_are_shown_first(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.groups.append(money.usage_group("2026-11-20", not_charged_micros=28))
    page = page_of(signed_in)
    for told in ("$0.000372", "1 use", "1.2K in", "310 out", "$0.000028 not charged", "20 Nov 2026", "<rect"):
        assert told in page
    asked = fake_backend.calls_of("GET", ASKED)[0].query
    assert asked["group_by"] == "day"
    assert asked["from"] >= (datetime.now(UTC) - timedelta(days=31)).date().isoformat()


def test_days_that_were_cleared_are_all_days(signed_in: Client, fake_backend: FakeBackend) -> None:
    page_of(signed_in, "?by=day&from=&to=")
    assert "from" not in fake_backend.calls_of("GET", ASKED)[0].query


@pytest.mark.parametrize("by", ["day", "model", "meter", "job", "worklog"])
def test_each_tab_asks_for_its_sums_and_is_marked(signed_in: Client, fake_backend: FakeBackend, by: str) -> None:
    fake_backend.groups.append(money.usage_group(shapes.ABSENT_ID, "The autumn"))
    page = page_of(signed_in, f"?by={by}")
    assert fake_backend.calls_of("GET", ASKED)[0].query["group_by"] == by
    assert page.count('aria-current="page"') == 2
    assert "The autumn" in page


@pytest.mark.parametrize(
    ("by", "key", "query"),
    [
        ("model", "gpt", {"model": ["gpt"], "by": ["each"]}),
        ("meter", "documents", {"meter": ["documents"], "by": ["each"]}),
        ("job", shapes.ABSENT_ID, {"job": [shapes.ABSENT_ID], "by": ["each"]}),
        ("day", "2026-11-20", {"from": ["2026-11-20"], "to": ["2026-11-20"], "by": ["each"]}),
    ],
)
def test_a_sum_leads_to_what_it_is_made_of(
    signed_in: Client, fake_backend: FakeBackend, by: str, key: str, query: dict[str, list[str]]
) -> None:
    fake_backend.groups.append(money.usage_group(key))
    (_, _, link), *_ = signed_in.get(f"{PAGE}?by={by}&from=2026-11-01").context["rows"]
    assert parse_qs(link.removeprefix(f"{PAGE}?")) == {"from": ["2026-11-01"]} | query


@pytest.mark.parametrize(("key", "link"), [(shapes.ABSENT_ID, f"/worklog/{shapes.ABSENT_ID}/"), ("//evil", "")])
def test_the_sum_of_an_entry_leads_to_the_entry(
    signed_in: Client, fake_backend: FakeBackend, key: str, link: str
) -> None:
    fake_backend.groups.append(money.usage_group(key))
    assert signed_in.get(f"{PAGE}?by=worklog").context["rows"][0][2] == link


def test_what_has_no_name_leads_nowhere(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.groups.append(money.usage_group("") | {"label": ""})
    assert "Without a name" in page_of(signed_in, "?by=model")


def test_filters_reach_the_backend_and_are_said(signed_in: Client, fake_backend: FakeBackend) -> None:
    query = f"?by=each&from=2026-11-01&to=2026-11-30&model=gpt&meter=documents&job={shapes.ABSENT_ID}"
    page = page_of(signed_in, query)
    asked = fake_backend.calls_of("GET", ASKED)[0].query
    assert (asked["from"], asked["to"], asked["model"]) == ("2026-11-01", "2026-11-30", "gpt")
    assert (asked["meter"], asked["job"]) == ("documents", shapes.ABSENT_ID)
    assert all(told in page for told in ("one job", "Show everything", "Nothing matches"))


@pytest.mark.parametrize("query", ["meter=gifts", "job=mine", "from=soon", "from=2026-11-02&to=2026-11-01"])
def test_a_filter_that_makes_no_sense_is_left_out(signed_in: Client, fake_backend: FakeBackend, query: str) -> None:
    assert signed_in.get(f"{PAGE}?by=each&{query}").status_code == 200
    assert not {"meter", "job", "to"} & set(fake_backend.calls_of("GET", ASKED)[0].query)


def test_htmx_gets_the_part_below_the_heading(signed_in: Client) -> None:
    part = signed_in.get(f"{PAGE}?by=model", headers=HTMX).content.decode()
    assert part.startswith('<div id="usage">')


def test_a_meter_without_tokens_tells_its_own_units(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.usage.append(shapes.usage_event(meter="documents", model="", quantity=1, tokens={}))
    page = page_of(signed_in, "?by=each")
    assert "<span>1 document</span>" in page
    assert "<span>0 in</span>" not in page


def test_a_cost_is_reckoned_again_before_one_s_eyes(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.usage.append(shapes.usage_event())
    page = signed_in.get(f"{PAGE}{fake_backend.usage[0]['id']}/").content.decode()
    for told in ("Input tokens", "1,240 x $0.15 per 1M", "$0.000186", "$0.000372", "the same", "movement 2"):
        assert told in page


def test_it_opens_as_a_dialog_beside_the_list(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.usage.append(shapes.usage_event())
    part = signed_in.get(f"{PAGE}{fake_backend.usage[0]['id']}/", headers=HTMX).content.decode()
    assert part.startswith("<dialog")


def test_a_cost_that_comes_out_otherwise_is_said_loudly(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.usage.append(shapes.usage_event())
    details = money.usage_details(fake_backend.usage[0], matches=False, recomputed_micros=400, ledger_seq=None)
    address = f"{ASKED}{fake_backend.usage[0]['id']}/"
    fake_backend.answer_with("GET", address, Reply(body=details | {"not_charged_micros": 28}))
    page = signed_in.get(f"{PAGE}{fake_backend.usage[0]['id']}/").content.decode()
    assert all(told in page for told in ("would be $0.0004", "tell support", "$0.000028"))


def test_a_use_of_another_is_not_there(signed_in: Client) -> None:
    assert signed_in.get(f"{PAGE}{shapes.ABSENT_ID}/").status_code == 404
