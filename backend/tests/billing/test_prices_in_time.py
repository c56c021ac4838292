"""Which prices hold while they change, and what is refused when there are none."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.billing.models import RateCard, RateCardVersion, RateLineItem, ReserveHold, UsageEvent
from apps.billing.services import holds
from apps.billing.services.pricing import quote_call
from apps.billing.services.rate_cards import clone_version, create_draft, publish_version
from apps.billing.types import HoldView, Meter, NoPrice, PlanTier, Quote, TokenClass, TokenUsage, VersionIncomplete
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from tests.billing.raw import insert, refused, run
from tests.factories.billing import (
    LEASE,
    LONG_AGO,
    NOW,
    get_account,
    make_line,
    make_lines,
    make_quantity_line,
    make_quote,
    make_reserve,
    publish_prices,
    settle,
)

pytestmark = pytest.mark.django_db

SOON = NOW + timedelta(seconds=1)
LATER = NOW + timedelta(seconds=2)


@transaction.atomic
def hold(tenant: TenantId, quote: Quote) -> HoldView:
    return holds.place_hold(
        tenant=tenant, operation_key="op", quote=quote, job_id=uuid7(), call_id=uuid7(), now=SOON, lease=LEASE
    )


@pytest.mark.failure("M30")
def test_prices_that_change_between_quote_hold_and_settlement_change_nothing() -> None:
    publish_prices()
    tenant = make_reserve(funds=1000)
    quote = make_quote(tenant, 100)
    publish_prices(*make_lines(price=9_000_000), valid_from=SOON)
    view = hold(tenant, quote)
    publish_prices(*make_lines(price=90_000_000), valid_from=LATER)
    settle(view, 100, now=LATER)
    event = UsageEvent.objects.get()
    assert (event.cost_micros, str(event.rate_version), str(ReserveHold.objects.get().rate_version)) == (
        *(100, "Free v1"),
        "Free v1",
    )


@pytest.mark.failure("M30")
def test_the_next_quote_takes_the_new_prices() -> None:
    publish_prices()
    publish_prices(*make_lines(price=9_000_000), valid_from=SOON)
    quotes = [make_quote(make_reserve(), 1, at=at) for at in (NOW, SOON)]
    assert [(quote.at_most_micros, quote.rate_card_label) for quote in quotes] == [(1, "Free v1"), (9, "Free v2")]


@pytest.mark.failure("M31")
@pytest.mark.parametrize(
    "arrange",
    [
        pytest.param(lambda: None, id="no card"),
        pytest.param(lambda: publish_prices(*make_lines("other-model")), id="no line"),
        pytest.param(lambda: publish_prices(valid_from=SOON), id="future-dated"),
        pytest.param(
            lambda: create_draft(plan=PlanTier.FREE, lines=make_lines(), note="", now=LONG_AGO), id="only a draft"
        ),
        pytest.param(lambda: publish_prices(make_quantity_line(Meter.DOCUMENTS)), id="another meter"),
    ],
)
def test_without_a_price_in_force_nothing_is_reserved(arrange: Callable[[], Any]) -> None:
    arrange()
    tenant = make_reserve(funds=1000)
    with pytest.raises(NoPrice):
        quote_call(tenant=tenant, model="plain-model", at_most=TokenUsage(input=1), at=NOW)
    assert (get_account(tenant).held_micros, ReserveHold.objects.count()) == (0, 0)


@pytest.mark.failure("M31")
def test_a_gap_between_versions_has_no_price() -> None:
    version = publish_prices()
    RateCardVersion.objects.filter(pk=version.pk).update(valid_to=NOW)
    with pytest.raises(NoPrice):
        make_quote(make_reserve(), 1)


@pytest.mark.failure("M31")
def test_versions_that_overlap_are_refused_by_the_database() -> None:
    version = publish_prices()
    rival = RateCardVersion(
        card_id=version.card_id, number=7, state="published", valid_from=NOW, published_at=NOW, created_at=NOW
    )
    with refused("billing_version_no_overlap"):
        insert(rival)


@pytest.mark.failure("M31")
@pytest.mark.parametrize(("price", "is_free"), [(0, False), (5, True)])
def test_a_price_of_nothing_must_say_that_it_is_free(*, price: int, is_free: bool) -> None:
    draft = create_draft(plan=PlanTier.FREE, lines=[], note="", now=NOW)
    line = make_line(price=price)
    line.version, line.is_free = draft, is_free
    with refused("billing_line_free_says_so"):
        insert(line)


@pytest.mark.failure("M31")
def test_a_free_line_is_a_price() -> None:
    publish_prices(*make_lines(price=0, cost=0))
    assert make_quote(make_reserve(), 1000).at_most_micros == 0


@pytest.mark.failure("M31")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE billing_ratelineitem SET price_micros = 7",
        "DELETE FROM billing_ratelineitem",
        "UPDATE billing_ratecardversion SET valid_from = now()",
        "UPDATE billing_ratecardversion SET state = 'draft', published_at = NULL",
    ],
)
def test_published_prices_are_frozen(change: str) -> None:
    publish_prices()
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        run(change)


def test_a_version_that_is_to_come_takes_over_at_its_instant() -> None:
    publish_prices()
    draft = clone_version(version_id=RateCardVersion.objects.get().id, now=NOW)
    draft.lines.update(price_micros=5_000_000)
    publish_version(actor=None, version_id=draft.id, valid_from=LATER, now=NOW)
    tenant = make_reserve()
    assert [make_quote(tenant, 1, at=at).at_most_micros for at in (NOW, SOON, LATER)] == [1, 1, 5]


def publish(*lines: RateLineItem) -> RateCardVersion:
    draft = create_draft(plan=PlanTier.FREE, lines=lines, note="", now=NOW)
    return publish_version(actor=None, version_id=draft.id, now=NOW)


def odd_line(meter: Meter, pattern: str, token_class: TokenClass) -> RateLineItem:
    line = make_quantity_line(meter)
    line.model_pattern, line.token_class = pattern, token_class
    return line


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (odd_line(Meter.LLM_TOKENS, "plain-model", TokenClass.QUANTITY), "each of its lines needs a class"),
        (odd_line(Meter.DOCUMENTS, "plain-model", TokenClass.QUANTITY), "one line for the model"),
        (odd_line(Meter.DOCUMENTS, "*", TokenClass.INPUT), "one line for the model"),
    ],
)
def test_a_meter_is_priced_in_its_own_way_or_not_published(line: RateLineItem, problem: str) -> None:
    with pytest.raises(VersionIncomplete, match=problem):
        publish(*make_lines(), line)
    assert RateCardVersion.objects.get().state == "draft"


def test_meters_and_models_stand_side_by_side() -> None:
    version = publish(*make_lines(), *make_lines("*"), *(make_quantity_line(meter) for meter in list(Meter)[1:]))
    assert version.lines.count() == 8
    assert RateCard.objects.get().versions.count() == 1
