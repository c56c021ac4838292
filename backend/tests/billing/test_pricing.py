"""Which price applies, and how prices change."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.billing import selectors
from apps.billing.models import BillingAuditLog, BillingProfile, RateCard, RateCardVersion, RateLineItem
from apps.billing.services.pricing import load_price_table, quote_call
from apps.billing.services.rate_cards import clone_version, create_draft, publish_version
from apps.billing.services.seed import LIST_PRICES, publish_example_rate_cards
from apps.billing.types import (
    Meter,
    NoPrice,
    PlanTier,
    TokenClass,
    TokenUsage,
    VersionIncomplete,
    VersionNotDraft,
    VersionState,
)
from tests.factories.accounts import make_staff
from tests.factories.billing import (
    LONG_AGO,
    NOW,
    make_line,
    make_lines,
    make_quote,
    make_reserve,
    publish_prices,
)

pytestmark = pytest.mark.django_db


def test_a_quote_prices_the_ceiling_and_names_its_version() -> None:
    version = publish_prices()
    quote = quote_call(tenant=make_reserve(), model="plain-model", at_most=TokenUsage(input=100, output=20), at=NOW)
    assert (quote.at_most_micros, quote.provider_at_most_micros) == (120, 48)
    assert (quote.rate_version_id, quote.rate_card_label) == (version.id, "Free v1")


def test_a_ceiling_counts_each_side_at_its_dearest_class() -> None:
    dear = make_line(token_class=TokenClass.CACHE_WRITE, price=1_250_000)
    publish_prices(*make_lines(), dear, make_line(token_class=TokenClass.REASONING, price=3_000_000))
    quote = quote_call(tenant=make_reserve(), model="plain-model", at_most=TokenUsage(input=100, output=20), at=NOW)
    assert quote.at_most_micros == 125 + 60


def test_a_model_without_a_line_has_no_price() -> None:
    publish_prices()
    with pytest.raises(NoPrice):
        make_quote(make_reserve(), 1, model="unheard-of")


def test_a_plan_without_a_card_has_no_price() -> None:
    with pytest.raises(NoPrice):
        make_quote(make_reserve(), 1)


def test_prices_that_are_not_yet_in_force_do_not_count() -> None:
    publish_prices(valid_from=NOW + timedelta(seconds=1))
    with pytest.raises(NoPrice):
        make_quote(make_reserve(), 1)


def test_a_draft_prices_nothing() -> None:
    create_draft(plan=PlanTier.FREE, lines=make_lines(), note="", now=LONG_AGO)
    with pytest.raises(NoPrice):
        make_quote(make_reserve(), 1)


def test_another_plans_card_does_not_count() -> None:
    publish_prices(plan=PlanTier.STARTER)
    tenant = make_reserve()
    with pytest.raises(NoPrice):
        make_quote(tenant, 1)
    BillingProfile.objects.filter(tenant_id=tenant).update(plan=PlanTier.STARTER)
    assert make_quote(tenant, 1).rate_card_label == "Starter v1"


@pytest.mark.parametrize(
    ("model", "micros"),
    [("gpt-4o-mini", 1), ("gpt-4o-mini-2026", 2), ("gpt-4o", 3), ("gpt-4o-2026", 3), ("gpt-5", 4)],
)
def test_the_exact_name_wins_and_then_the_longest_pattern(model: str, micros: int) -> None:
    prices = {"gpt-4o-mini": 1, "gpt-4o-mini*": 2, "gpt-4o*": 3, "gpt-*": 4}
    lines = [line for name, price in prices.items() for line in make_lines(name, price=price * 1_000_000)]
    publish_prices(*lines)
    assert make_quote(make_reserve(), 1, model=model).at_most_micros == micros


def test_a_star_alone_prices_every_model() -> None:
    publish_prices(*make_lines("*"))
    assert make_quote(make_reserve(), 7, model="whatever").at_most_micros == 7


def test_patterns_are_not_mixed() -> None:
    cached = make_line("gpt*", TokenClass.CACHED_INPUT, price=1)
    publish_prices(*make_lines("gpt*"), cached, *make_lines("gpt-5"))
    version = RateCardVersion.objects.get()
    table = load_price_table(version_id=version.id, meter=Meter.LLM_TOKENS, model="gpt-5")
    assert table.line_for(TokenClass.CACHED_INPUT).price_micros == 1_000_000


def test_a_pattern_that_lacks_a_side_prices_nothing() -> None:
    draft = create_draft(plan=PlanTier.FREE, lines=make_lines()[:1], note="", now=LONG_AGO)
    with pytest.raises(NoPrice):
        load_price_table(version_id=draft.id, meter=Meter.LLM_TOKENS, model="plain-model")


def test_a_new_version_ends_its_predecessor() -> None:
    first = publish_prices()
    second = publish_prices(*make_lines(price=2_000_000), valid_from=NOW)
    first.refresh_from_db()
    assert (first.valid_to, second.valid_from, second.valid_to, second.number) == (NOW, NOW, None, 2)


@pytest.mark.parametrize(("offset", "label"), [(-1, "Free v1"), (0, "Free v2")])
def test_validity_is_half_open(offset: int, label: str) -> None:
    publish_prices()
    publish_prices(*make_lines(price=2_000_000), valid_from=NOW)
    at = NOW + timedelta(microseconds=offset)
    assert make_quote(make_reserve(), 1, at=at).rate_card_label == label


def publish(draft: RateCardVersion, *, valid_from: datetime | None = None, now: datetime = NOW) -> RateCardVersion:
    return publish_version(actor=None, version_id=draft.id, valid_from=valid_from, now=now)


def test_a_version_is_published_once() -> None:
    version = publish_prices()
    with pytest.raises(VersionNotDraft):
        publish(version)


def test_prices_are_never_changed_backwards() -> None:
    draft = create_draft(plan=PlanTier.FREE, lines=make_lines(), note="", now=NOW)
    with pytest.raises(VersionIncomplete, match="has passed"):
        publish(draft, valid_from=NOW - timedelta(seconds=1))


def test_a_version_cannot_be_slipped_in_before_one_that_is_published() -> None:
    publish_prices(valid_from=NOW + timedelta(days=2))
    draft = create_draft(plan=PlanTier.FREE, lines=make_lines(), note="", now=NOW)
    with pytest.raises(VersionIncomplete, match="already published"):
        publish(draft, valid_from=NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [([], "at least one line"), (make_lines()[:1], "one for output"), (make_lines()[1:], "one for input|for input")],
)
def test_an_incomplete_version_is_not_published(lines: list[RateLineItem], reason: str) -> None:
    draft = create_draft(plan=PlanTier.FREE, lines=lines, note="", now=NOW)
    with pytest.raises(VersionIncomplete, match=reason):
        publish(draft)


def test_publishing_is_audited() -> None:
    staff = make_staff()
    draft = create_draft(plan=PlanTier.FREE, lines=make_lines(), note="", now=NOW)
    version = publish_version(actor=staff.user_id, version_id=draft.id, now=NOW)
    audit = BillingAuditLog.objects.get(action="rate_card.published")
    assert (audit.actor_id, audit.target_id, audit.tenant_id) == (staff.user_id, version.id, None)
    assert (version.published_by_id, version.published_at) == (staff.user_id, NOW)


def line_values(version: RateCardVersion) -> set[tuple[Any, ...]]:
    return set(
        version.lines.values_list(
            "model_pattern",
            "token_class",
            "unit_size",
            "price_micros",
            "provider_cost_micros",
            "is_free",
            "is_essential",
        )
    )


def test_a_clone_is_a_draft_with_the_same_lines() -> None:
    source = publish_prices(
        *make_lines(),
        *make_lines("free-model", price=0),
        make_line("odd", unit_size=1000),
        make_line("odd", TokenClass.OUTPUT),
    )
    clone = clone_version(version_id=source.id, now=NOW)
    assert (clone.state, clone.number, clone.valid_from) == (VersionState.DRAFT, 2, None)
    assert line_values(clone) == line_values(source)


def test_a_version_knows_when_it_is_in_force() -> None:
    version = publish_prices(valid_from=NOW)
    publish_prices(*make_lines(), valid_from=NOW + timedelta(days=1))
    version.refresh_from_db()
    moments = [NOW - timedelta(seconds=1), NOW, NOW + timedelta(days=1)]
    assert [version.is_in_force(at) for at in moments] == [False, True, False]


def test_the_example_cards_price_every_model_on_every_plan() -> None:
    assert publish_example_rate_cards(now=LONG_AGO) == 4
    tenant = make_reserve()
    models = ["builtin-writer-1", *(price.model.replace("*", "-x") for price in LIST_PRICES)]
    for plan in PlanTier:
        BillingProfile.objects.filter(tenant_id=tenant).update(plan=plan)
        for model in models:
            quote = make_quote(tenant, 1_000_000, model=model)
            assert quote.at_most_micros > quote.provider_at_most_micros


def test_the_example_cards_are_published_once() -> None:
    publish_example_rate_cards(now=LONG_AGO)
    before = list(RateLineItem.objects.order_by("id").values())
    assert publish_example_rate_cards(now=NOW) == 0
    assert list(RateLineItem.objects.order_by("id").values()) == before
    assert RateCard.objects.count() == 4


def test_the_built_in_writer_costs_the_house_nothing() -> None:
    publish_example_rate_cards(now=LONG_AGO)
    lines = RateLineItem.objects.filter(version__card__plan=PlanTier.STARTER, model_pattern="builtin-writer-*")
    prices = {line.token_class: (line.price_micros, line.provider_cost_micros) for line in lines}
    assert prices == {"input": (400_000, 0), "output": (1_600_000, 0)}


def test_the_label_of_the_prices_in_force() -> None:
    tenant = make_reserve()
    assert selectors.get_rate_card_label(tenant=tenant, at=NOW) == ""
    publish_prices()
    assert selectors.get_rate_card_label(tenant=tenant, at=NOW) == "Free v1"
