"""Spending on a call: hold, settle, release, expire."""

import pytest
from django.db import connection, transaction

from apps.billing import selectors
from apps.billing.models import LossEntry, ReserveHold, ReserveLedgerEntry, UsageEvent
from apps.billing.services import holds
from apps.billing.types import (
    EntryKind,
    HoldNotOpen,
    HoldState,
    IdempotencyMismatch,
    InsufficientReserve,
    LossReason,
    Policy,
    TokenClass,
    TokenUsage,
)
from apps.common.errors import NotFound
from apps.common.ids import uuid7
from tests.factories.billing import (
    LEASE,
    NOW,
    fund,
    get_account,
    make_hold,
    make_line,
    make_lines,
    make_quote,
    make_reserve,
    publish_prices,
    settle,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _prices() -> None:
    publish_prices()


def commit() -> None:
    """Lets the rules that wait for the commit speak now."""
    connection.check_constraints()


def test_a_settled_call_costs_what_it_used() -> None:
    tenant = make_reserve(funds=1000)
    settlement = settle(make_hold(tenant, 300), TokenUsage(input=100, output=20))
    commit()
    balance = selectors.get_balance(tenant=tenant)
    assert (settlement.cost_micros, settlement.loss_micros) == (120, 0)
    assert (balance.balance_micros, balance.held_micros, balance.available_micros) == (880, 0, 880)
