"""What PostgreSQL itself refuses about holds, usage, losses and prices, whoever asks."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError
from django.db.models import Model

from apps.billing.cost_types import MeteredUse
from apps.billing.models import LossEntry, RateCardVersion, RateLineItem, ReserveHold, UsageEvent
from apps.billing.services import holds, metering
from apps.billing.types import HoldView, LossReason, Meter, Policy, TokenClass, TokenUsage
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from tests.billing.raw import copy_event, delete, insert, refused, run, update
from tests.factories.billing import (
    LONG_AGO,
    NOW,
    make_hold,
    make_line,
    make_lines,
    make_reserve,
    publish_prices,
    settle,
)

pytestmark = pytest.mark.django_db
Commit = Callable[[], None]


@pytest.fixture(autouse=True)
def _prices() -> None:
    publish_prices(*make_lines(), *make_lines("other-model", price=2_000_000))


def refuses_row(row: Model, *, match: str) -> None:
    with refused(match):
        insert(row)


def forge_hold(tenant: TenantId, template: HoldView, **changes: Any) -> ReserveHold:
    hold = ReserveHold.objects.get(pk=template.id)
    values = {"id": uuid7(), "call_id": uuid7(), "operation_key": str(uuid7()), "tenant_id": tenant, **changes}
    for name, value in values.items():
        setattr(hold, name, value)
    return hold


def test_a_hold_begins_open_or_settled() -> None:
    hold = make_hold(make_reserve(funds=1000), 100)
    refuses_row(forge_hold(hold.tenant, hold, state="expired", closed_at=NOW), match="begins open or settled")


def test_a_hold_that_begins_settled_needs_its_usage_at_commit(commit: Commit) -> None:
    hold = make_hold(make_reserve(funds=1000), 100)
    insert(forge_hold(hold.tenant, hold, state="settled", closed_at=NOW))
    with pytest.raises(IntegrityError, match="does not fit its usage"):
        commit()


def test_a_hold_that_begins_settled_is_within_what_may_be_spent() -> None:
    hold = make_hold(make_reserve(funds=1000), 100)
    row = forge_hold(hold.tenant, hold, state="settled", closed_at=NOW, amount_micros=901)
    refuses_row(row, match="beyond what may be spent")


def test_many_that_begin_settled_keep_to_the_policy_together(commit: Commit, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make_reserve(funds=15, policy=Policy.BLOCK, floor=-100)
    monkeypatch.setattr(metering, "compute_spendable", lambda **_: 1000)
    uses = [
        MeteredUse(
            meter=Meter.LLM_TOKENS, model="plain-model", usage=TokenUsage(input=10), key=f"t{n}", occurred_at=NOW
        )
        for n in range(2)
    ]
    metering.record_batch(tenant=tenant, uses=uses, now=NOW)
    with pytest.raises(IntegrityError, match="beyond what may be spent"):
        commit()


def test_a_hold_beyond_the_balance_is_refused() -> None:
    hold = make_hold(make_reserve(funds=1000), 100)
    refuses_row(forge_hold(hold.tenant, hold, amount_micros=901), match="beyond what may be spent")


def test_a_hold_beyond_the_floor_is_refused() -> None:
    hold = make_hold(make_reserve(funds=1000, policy=Policy.WARN, floor=-50), 100)
    refuses_row(forge_hold(hold.tenant, hold, amount_micros=951), match="beyond what may be spent")


def test_a_hold_that_the_account_does_not_count_is_refused_at_commit(commit: Commit) -> None:
    hold = make_hold(make_reserve(funds=1000), 100)
    insert(forge_hold(hold.tenant, hold, amount_micros=900))
    with pytest.raises(IntegrityError, match="differs from its open holds"):
        commit()


def test_a_call_is_held_once() -> None:
    hold = make_hold(make_reserve(funds=1000), 100)
    refuses_row(forge_hold(hold.tenant, hold, call_id=hold.call_id), match="billing_hold_call")


def test_an_operation_is_held_once() -> None:
    hold = make_hold(make_reserve(funds=1000), 100, key="op")
    refuses_row(forge_hold(hold.tenant, hold, operation_key="op"), match="billing_hold_operation")


def test_a_hold_cannot_lie_on_the_account_of_another_tenant() -> None:
    hold = make_hold(make_reserve(funds=1000), 100)
    refuses_row(forge_hold(make_reserve(), hold), match="billing_reservehold_account_id_tenant")


@pytest.mark.parametrize(
    "change", ["amount_micros = 1", "model = 'x'", "call_id = gen_random_uuid()", "rate_version_id = NULL"]
)
def test_what_a_hold_reserves_never_changes(change: str) -> None:
    make_hold(make_reserve(funds=1000), 100)
    with refused("only its state and lease"):
        update("reservehold", change)


@pytest.mark.parametrize("change", ["state = 'open', closed_at = NULL", "state = 'expired'", "expires_at = now()"])
def test_an_ended_hold_never_changes(change: str) -> None:
    settle(make_hold(make_reserve(funds=1000), 100), 10)
    with refused("settled is final"):
        update("reservehold", change)


def test_a_hold_cannot_be_deleted() -> None:
    make_hold(make_reserve(funds=1000), 100)
    with refused("Cannot delete"):
        delete("reservehold")


@pytest.mark.parametrize(("state", "rule"), [("open", "billing_hold_closed"), ("lost", "billing_hold_state")])
def test_an_end_has_a_time_and_a_known_state(state: str, rule: str) -> None:
    make_hold(make_reserve(funds=1000), 100)
    with refused(rule):
        run("UPDATE billing_reservehold SET state = %s, closed_at = now()", state)


def close(hold: HoldView, state: str) -> None:
    run("UPDATE billing_reservehold SET state = %s, closed_at = now() WHERE id = %s", state, hold.id)
    run("UPDATE billing_reserveaccount SET held_micros = held_micros - %s", hold.amount_micros)


@pytest.mark.parametrize("state", ["settled", "expired"])
def test_a_served_call_without_usage_or_loss_is_refused_at_commit(commit: Commit, state: str) -> None:
    close(make_hold(make_reserve(funds=1000), 100), state)
    with pytest.raises(IntegrityError, match="does not fit its usage and losses"):
        commit()


def forge_loss(hold: HoldView, **changes: Any) -> LossEntry:
    values: dict[str, Any] = {
        "tenant_id": hold.tenant,
        "hold_id": hold.id,
        "job_id": hold.job_id,
        "call_id": hold.call_id,
        "reason": LossReason.OUTCOME_UNKNOWN,
        "unbilled_micros": 100,
        "provider_cost_micros": 40,
        "created_at": NOW,
        **changes,
    }
    return LossEntry(**values)


@pytest.mark.parametrize("state", ["open", "released"])
def test_a_loss_for_a_call_that_was_not_lost_is_refused_at_commit(commit: Commit, state: str) -> None:
    hold = make_hold(make_reserve(funds=1000), 100)
    if state == "released":
        close(hold, state)
    insert(forge_loss(hold))
    with pytest.raises(IntegrityError, match="does not fit its usage and losses"):
        commit()


def test_a_call_is_not_both_used_and_lost(commit: Commit) -> None:
    hold = make_hold(make_reserve(funds=1000), 100)
    settle(hold, 50)
    insert(forge_loss(hold))
    with pytest.raises(IntegrityError, match="does not fit its usage and losses"):
        commit()


def test_an_excess_without_a_loss_is_refused_at_commit(commit: Commit) -> None:
    hold = make_hold(make_reserve(funds=1000), 100)
    settle(hold, 50)
    insert(forge_loss(hold, reason=LossReason.ABOVE_HOLD, provider_cost_micros=0, unbilled_micros=1))
    with pytest.raises(IntegrityError, match="does not fit its usage and losses"):
        commit()


def test_a_call_is_lost_once() -> None:
    hold = make_hold(make_reserve(funds=1000), 100)
    holds.expire_hold(tenant=hold.tenant, hold_id=hold.id, reason=LossReason.OUTCOME_UNKNOWN, now=NOW)
    refuses_row(forge_loss(hold), match="billing_loss_call|billing_lossentry_hold_id")


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("billing_loss_reason", {"reason": "bad_luck"}),
        ("billing_loss_beside_event", {"reason": "above_hold", "provider_cost_micros": 1}),
        ("billing_loss_unbilled", {"unbilled_micros": -1}),
        ("billing_loss_provider", {"provider_cost_micros": -1}),
    ],
)
def test_a_loss_that_breaks_a_rule_is_refused(rule: str, change: dict[str, Any]) -> None:
    refuses_row(forge_loss(make_hold(make_reserve(funds=1000), 100), **change), match=rule)


def test_a_loss_cannot_belong_to_another_tenant() -> None:
    hold = make_hold(make_reserve(funds=1000), 100)
    refuses_row(forge_loss(hold, tenant_id=make_reserve()), match="billing_lossentry_hold_id_tenant")


@pytest.mark.parametrize("table", ["usageevent", "lossentry"])
def test_usage_and_losses_stay(table: str) -> None:
    settle(make_hold(make_reserve(funds=1000), 100), 150)
    with refused("Cannot update or delete"):
        update(table, "created_at = now()")
    with refused("Cannot update or delete"):
        delete(table)


def make_event() -> tuple[TenantId, UUID]:
    """An event for 60 + 40 tokens in a world where a second one could be written."""
    tenant = make_reserve(funds=1000)
    return tenant, settle(make_hold(tenant, 300), TokenUsage(input=60, reasoning=40)).usage_event_id


def charge(event: UsageEvent, position: int = 0, **changes: Any) -> list[dict[str, Any]]:
    charges = [dict(value) for value in event.charges]
    charges[position].update(changes)
    return charges


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("the cost is 100, not 99", {"cost_micros": 99}),
        ("the cost is 100, not 101", {"excess_micros": 1}),
        ("the cost is 100", {"provider_cost_micros": 39}),
        ("counts differ", {"input_tokens": 61}),
        ("counts differ", {"output_tokens": 40, "reasoning_tokens": 0}),
        ("counts differ", {"quantity": 1}),
        ("does not follow its rate line", {"model": "plain-model2"}),
        ("does not fit its hold", {"call_id": uuid7()}),
        ("does not fit its hold", {"job_id": uuid7()}),
        ("does not follow its rate line", {"rate_version_id": uuid7()}),
    ],
)
def test_an_event_that_misstates_its_price_is_refused(rule: str, change: dict[str, Any]) -> None:
    _, event_id = make_event()
    refuses_row(copy_event(event_id, **change), match=rule)


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("does not follow its rate line", {"price_micros": 1}),
        ("does not follow its rate line", {"provider_cost_micros": 0}),
        ("does not follow its rate line", {"unit_size": 500_000}),
        ("does not follow its rate line", {"line": str(uuid7())}),
        ("does not follow its rate line", {"token_class": "output"}),
        ("does not follow its rate line", {"token_class": "brilliance"}),
        ("does not follow its rate line", {"quantity": -60}),
        ("does not follow its rate line", {"quantity": 59.5}),
        ("does not follow its rate line", {"quantity": None}),
        ("counts differ", {"quantity": 61}),
        ("counts differ", {"token_class": "cached_input"}),
    ],
)
def test_an_event_with_a_forged_charge_is_refused(rule: str, change: dict[str, Any]) -> None:
    _, event_id = make_event()
    event = copy_event(event_id)
    event.charges = charge(event, **change)
    refuses_row(event, match=rule)


def test_a_charge_of_another_models_line_is_refused() -> None:
    _, event_id = make_event()
    event = copy_event(event_id)
    line = RateLineItem.objects.get(model_pattern="other-model", token_class=TokenClass.INPUT)
    event.charges = charge(event, line=str(line.id), price_micros=line.price_micros)
    refuses_row(event, match="does not follow its rate line")


def test_charges_that_are_no_list_are_refused() -> None:
    _, event_id = make_event()
    with refused("non-array|non-object"):
        insert(copy_event(event_id, charges={}))


def test_a_hold_has_one_event() -> None:
    _, event_id = make_event()
    refuses_row(copy_event(event_id, idempotency_key="other"), match="hold_id|billing_event_call")


def test_an_event_with_a_cost_is_settled() -> None:
    _, event_id = make_event()
    refuses_row(copy_event(event_id, settlement_id=None), match="billing_event_settled")


def test_an_event_is_settled_by_an_entry_of_its_own_hold() -> None:
    tenant, event_id = make_event()
    other = settle(make_hold(tenant, 300), 100)
    refuses_row(copy_event(event_id, settlement_id=other.ledger_entry_id), match="not settled by an entry of its hold")


def test_an_event_cannot_cost_more_than_its_hold() -> None:
    tenant, event_id = make_event()
    hold = make_hold(tenant, 99)
    event = copy_event(event_id, hold_id=hold.id, call_id=hold.call_id, job_id=hold.job_id)
    refuses_row(event, match="does not fit its hold")


def test_an_event_cannot_belong_to_another_tenant() -> None:
    _, event_id = make_event()
    refuses_row(copy_event(event_id, tenant_id=make_reserve(), call_id=uuid7()), match="does not fit its hold")
    refuses_row(copy_event(event_id, tenant_id=make_reserve()), match="hold_id")


def test_an_event_for_an_open_hold_is_refused_at_commit(commit: Commit) -> None:
    tenant = make_reserve(funds=1000)
    hold = make_hold(tenant, 300)
    row = ReserveHold.objects.get(pk=hold.id)
    event = UsageEvent(
        tenant_id=tenant,
        hold_id=hold.id,
        idempotency_key="op",
        job_id=hold.job_id,
        call_id=hold.call_id,
        meter=row.meter,
        model=row.model,
        rate_version_id=row.rate_version_id,
        charges=[],
        cost_micros=0,
        provider_cost_micros=0,
        duration_ms=0,
        occurred_at=NOW,
        created_at=NOW,
    )
    insert(event)
    with pytest.raises(IntegrityError, match="does not fit its usage and losses"):
        commit()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_ratelineitem SET price_micros = 1",
        "DELETE FROM billing_ratelineitem",
        "UPDATE billing_ratecardversion SET valid_from = now()",
        "UPDATE billing_ratecardversion SET note = 'x'",
        "UPDATE billing_ratecardversion SET state = 'draft', published_at = NULL",
        "DELETE FROM billing_ratecardversion",
    ],
)
def test_published_prices_are_frozen(statement: str) -> None:
    with refused("frozen"):
        run(statement)


def test_a_published_version_takes_no_further_line() -> None:
    line = make_line("new-model")
    line.version = publish_prices(valid_from=NOW)
    refuses_row(line, match="frozen")


def test_a_line_cannot_be_moved_out_of_a_published_version() -> None:
    run(
        "INSERT INTO billing_ratecardversion (id, card_id, number, state, note, created_at)"
        " SELECT gen_random_uuid(), card_id, 99, 'draft', '', now() FROM billing_ratecardversion"
    )
    with refused("frozen"):
        run(
            "UPDATE billing_ratelineitem"
            " SET version_id = (SELECT id FROM billing_ratecardversion WHERE state = 'draft')",
        )


def test_a_published_version_is_ended_once() -> None:
    run("UPDATE billing_ratecardversion SET valid_to = %s", NOW)
    with refused("frozen"):
        run("UPDATE billing_ratecardversion SET valid_to = NULL")


def test_a_version_ends_after_it_began() -> None:
    with refused("billing_version_period"):
        run("UPDATE billing_ratecardversion SET valid_to = %s", LONG_AGO)


def test_two_versions_of_a_card_never_overlap() -> None:
    with refused("billing_version_no_overlap"):
        run(
            "INSERT INTO billing_ratecardversion"
            " (id, card_id, number, state, note, created_at, published_at, valid_from)"
            " SELECT gen_random_uuid(), card_id, 99, 'published', '', now(), now(), %s FROM billing_ratecardversion",
            NOW,
        )


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("billing_line_free_says_so", {"price_micros": 0}),
        ("billing_line_free_says_so", {"is_free": True}),
        ("billing_line_unit_divides", {"unit_size": 3, "price_micros": 1}),
        ("billing_line_unit_divides", {"unit_size": 2_000_000}),
        ("billing_line", {"unit_size": 0}),
        ("billing_line_pattern", {"model_pattern": "gpt*4"}),
        ("billing_line_pattern", {"model_pattern": ""}),
        ("billing_line_price", {"price_micros": 10**12}),
        ("billing_line_provider", {"provider_cost_micros": -1}),
        ("billing_line_class", {"token_class": "brilliance"}),
        ("billing_line_meter", {"meter": "sunshine"}),
    ],
)
def test_a_line_that_breaks_a_rule_is_refused(rule: str, change: dict[str, Any]) -> None:
    run(
        "INSERT INTO billing_ratecardversion (id, card_id, number, state, note, created_at)"
        " SELECT gen_random_uuid(), card_id, 99, 'draft', '', now() FROM billing_ratecardversion"
    )
    line = make_line("new-model")
    line.version = RateCardVersion.objects.get(state="draft")
    for name, value in change.items():
        setattr(line, name, value)
    with refused(rule):
        insert(line)
