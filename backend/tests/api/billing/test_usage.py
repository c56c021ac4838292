"""Metered use over HTTP: filters, groups, and why one cost what it did."""

from typing import Any

import pytest

from apps.billing.models import UsageEvent
from apps.common import clock
from apps.common.ids import uuid7
from apps.tenants.types import Actor
from tests.api_client import Client, client_for
from tests.factories.accounts import make_actor
from tests.factories.billing import fund, make_hold, make_lines, publish_prices, settle

pytestmark = pytest.mark.django_db

USAGE = "/api/billing/usage/"
SUMS = {"cost_micros", "not_charged_micros", "events", "tokens_in", "tokens_out"}


@pytest.fixture
def actor() -> Actor:
    """Somebody with two calls of one model in two jobs and one of another."""
    actor = make_actor()
    publish_prices(*make_lines(), *make_lines("other-model", price=2_000_000))
    fund(actor.tenant, 4_200_000)
    for model, tokens in (("plain-model", 300), ("plain-model", 70), ("other-model", 50)):
        settle(make_hold(actor.tenant, 1000, model=model), tokens, now=clock.now())
    return actor


@pytest.fixture
def client(actor: Actor) -> Client:
    client = client_for(actor)
    client.get(USAGE)
    return client


def test_use_is_narrowed_by_model_meter_job_and_day(actor: Actor, client: Client) -> None:
    job = str(UsageEvent.objects.filter(tenant_id=actor.tenant).order_by("id")[0].job_id)
    for query, count in (
        ({"model": "plain-model"}, 2),
        ({"meter": "llm.tokens"}, 3),
        ({"meter": "exports"}, 0),
        ({"job": job}, 1),
        ({"to": "2020-01-01"}, 0),
        ({"from": "2020-01-01"}, 3),
    ):
        assert len(client.get(USAGE, query).json()["results"]) == count, query


@pytest.mark.failure("M28")
@pytest.mark.parametrize("group_by", ["day", "model", "job", "worklog", "meter"])
def test_groups_add_up_to_the_total(client: Client, group_by: str) -> None:
    answer = client.get(USAGE, {"group_by": group_by}).json()
    assert set(answer["total"]) == SUMS
    for name in SUMS:
        assert sum(group[name] for group in answer["groups"]) == answer["total"][name]
    assert answer["total"]["cost_micros"] == 470


def test_groups_have_a_key_and_a_label(client: Client) -> None:
    groups = client.get(USAGE, {"group_by": "model"}).json()["groups"]
    assert [(group["key"], group["label"], group["cost_micros"]) for group in groups] == [
        ("plain-model", "plain-model", 370),
        ("other-model", "other-model", 100),
    ]


@pytest.mark.parametrize("query", [{"group_by": "mood"}, {"job": "mine"}, {"meter": "steps"}, {"from": "soon"}])
def test_a_filter_that_makes_no_sense_is_refused(client: Client, query: dict[str, str]) -> None:
    answer = client.get(USAGE, query)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, list(query))


def test_one_use_is_reckoned_again(actor: Actor, client: Client) -> None:
    event = UsageEvent.objects.get(tenant_id=actor.tenant, model="other-model")
    answer = client.get(f"{USAGE}{event.id}/").json()
    assert (answer["cost_micros"], answer["not_charged_micros"]) == (100, 0)
    why = answer["why"]
    assert (why["recomputed_micros"], why["matches"], why["rate_card"], why["ledger_seq"]) == (100, True, "Free v1", 4)
    assert why["charges"] == [
        {"token_class": "input", "quantity": 50, "unit_size": 1_000_000, "price_micros": 2_000_000, "exact": "100/1"}
    ]
    assert (why["valid_from"], why["valid_to"]) == ("2026-01-01T00:00:00Z", None)


@pytest.mark.failure("T01")
def test_another_tenants_use_is_not_found(actor: Actor) -> None:
    event = UsageEvent.objects.filter(tenant_id=actor.tenant)[0]
    stranger = client_for(make_actor())
    assert stranger.get(f"{USAGE}{event.id}/").status_code == 404
    assert stranger.get(f"{USAGE}{uuid7()}/").status_code == 404
    assert stranger.get(USAGE, {"group_by": "job"}).json()["groups"] == []


def test_a_page_of_use_with_its_reasons_takes_one_query(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        client.get(USAGE)


def test_groups_take_two_queries(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):
        client.get(USAGE, {"group_by": "model"})
