"""The proof of the ledger finds what somebody changed behind all the rules."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection

from apps.billing import selectors
from apps.billing.models import LedgerAnchor, LedgerProof, ReserveLedgerEntry
from apps.billing.services import holds
from apps.billing.services.chain import hash_entry
from apps.billing.services.proof import SWEEP_GRACE, prove_ledger
from apps.billing.types import LossReason
from apps.common.tenancy import TenantId
from tests.billing.raw import forge_entry, insert, move_account, run
from tests.factories.billing import LEASE, NOW, fund, make_hold, make_reserve, publish_prices, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> TenantId:
    """A reserve with some life behind it."""
    publish_prices()
    tenant = make_reserve(funds=1000)
    fund(tenant, 500)
    settle(make_hold(tenant, 100), 60)
    settle(make_hold(tenant, 100), 150)
    lost = make_hold(tenant, 70)
    holds.expire_hold(tenant=tenant, hold_id=lost.id, reason=LossReason.OUTCOME_UNKNOWN, now=NOW)
    make_hold(tenant, 30)
    return tenant


TABLES = ("reserveaccount", "reserveledgerentry", "reservehold", "usageevent", "lossentry")


TABLES = ("reserveaccount", "reserveledgerentry", "reservehold", "usageevent", "lossentry")


def tamper(statement: str) -> None:
    """A change by somebody who owns the tables and switches their rules off."""
    connection.check_constraints()
    for table in TABLES:
        run(f"ALTER TABLE billing_{table} DISABLE TRIGGER USER")
    run(statement)


def test_a_sound_ledger_is_proved(tenant: TenantId) -> None:
    proof = prove_ledger(now=NOW)
    assert (proof.is_ok, proof.first_broken) == (True, "")
    assert (proof.accounts, proof.entries, proof.events) == (1, 4, 2)


def test_an_empty_house_is_proved() -> None:
    assert prove_ledger(now=NOW).is_ok


CORRUPTIONS = {
    "an amount": (
        "UPDATE billing_reserveledgerentry SET amount_micros = 501 WHERE seq = 2",
        "entry 2: does not add up",
    ),
    "a text": ("UPDATE billing_reserveledgerentry SET description = 'x' WHERE seq = 1", "entry 1: was changed"),
    "a balance after": (
        "UPDATE billing_reserveledgerentry SET balance_after_micros = 9 WHERE seq = 2",
        "entry 2: does not add up",
    ),
    "a time": (
        "UPDATE billing_reserveledgerentry SET created_at = created_at + interval '1 us' WHERE seq = 1",
        "entry 1: was changed",
    ),
    "a link": ("UPDATE billing_reserveledgerentry SET previous_hash = hash WHERE seq = 2", "entry 2: does not follow"),
    "a gap": (
        "UPDATE billing_reserveledgerentry SET seq = 9 WHERE seq = 3",
        "entry 4: does not follow entry 2",
    ),
    "a balance": ("UPDATE billing_reserveaccount SET balance_micros = 5", "differs from its last entry"),
    "held money": ("UPDATE billing_reserveaccount SET held_micros = 5", "holds 30, but says 5"),
    "a hold's amount": (
        "UPDATE billing_reservehold SET amount_micros = 31 WHERE state = 'open'",
        "holds 31, but says 30",
    ),
    "a hold's end": (
        "UPDATE billing_reservehold SET state = 'released' WHERE state = 'expired'",
        "1 holds differ from their usage",
    ),
    "a loss": (
        "DELETE FROM billing_lossentry WHERE reason = 'outcome_unknown'",
        "1 holds differ from their usage",
    ),
    "an excess": (
        "UPDATE billing_lossentry SET unbilled_micros = 1 WHERE reason = 'above_hold'",
        "1 holds differ from their usage",
    ),
    "a cost": (
        "UPDATE billing_usageevent SET cost_micros = 59 WHERE cost_micros = 60",
        "entries charge 160, events cost 159",
    ),
    "two costs": (
        "UPDATE billing_usageevent SET cost_micros = 160 - cost_micros",
        "2 usage events differ from their settlement",
    ),
    "a count": ("UPDATE billing_usageevent SET input_tokens = 61 WHERE input_tokens = 60", "counts something else"),
    "a charge": (
        "UPDATE billing_usageevent SET charges = jsonb_set(charges, '{0,price_micros}', '5')",
        "costs something else",
    ),
    "a provider's cost": ("UPDATE billing_usageevent SET provider_cost_micros = 0", "costs something else"),
    "unreadable charges": ("UPDATE billing_usageevent SET charges = '[{}]'", "its charges cannot be read"),
    "the newest entry": (
        "UPDATE billing_reserveaccount SET last_seq = 5",
        "differs from its last entry, 4",
    ),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_change_behind_the_rules_is_found(tenant: TenantId, name: str) -> None:
    statement, first = CORRUPTIONS[name]
    tamper(statement)
    proof = prove_ledger(now=NOW)
    assert not proof.is_ok
    assert first in proof.first_broken


def test_an_entry_below_its_floor_is_found(tenant: TenantId) -> None:
    connection.check_constraints()
    run("ALTER TABLE billing_reserveledgerentry DROP CONSTRAINT billing_entry_above_floor")
    credit = ReserveLedgerEntry.objects.get(tenant_id=tenant, seq=1)
    entry = forge_entry(tenant, kind="credit_expiry", expired_entry_id=credit.id, amount_micros=-9_000_000)
    insert(entry)
    move_account(entry)
    assert "entry 5: ends below the floor" in prove_ledger(now=NOW).first_broken


def rewrite_history(tenant: TenantId) -> None:
    """Changes the first entry and recomputes every hash after it, so that the chain fits again."""
    connection.check_constraints()
    run("ALTER TABLE billing_reserveledgerentry DISABLE TRIGGER USER")
    run("ALTER TABLE billing_reserveaccount DISABLE TRIGGER USER")
    last = "0" * 64
    for entry in ReserveLedgerEntry.objects.filter(tenant_id=tenant).order_by("seq"):
        entry.description, entry.previous_hash = "Rewritten", last
        last = entry.hash = hash_entry(entry)
        entry.save()
    run("UPDATE billing_reserveaccount SET last_hash = %s WHERE tenant_id = %s", last, tenant)


def test_a_rewritten_history_is_found_by_what_was_proved_before(tenant: TenantId) -> None:
    prove_ledger(now=NOW)
    rewrite_history(tenant)
    proof = prove_ledger(now=NOW)
    assert "entry 4: was changed after it was written" in proof.first_broken


def test_entries_that_vanished_from_the_end_are_found(tenant: TenantId) -> None:
    prove_ledger(now=NOW)
    LedgerAnchor.objects.create(
        tenant_id=tenant, account_id=LedgerAnchor.objects.get().account_id, seq=7, hash="0" * 64, at=NOW
    )
    assert "entries after 4 have gone" in prove_ledger(now=NOW).first_broken


def test_a_proof_anchors_each_head_once(tenant: TenantId) -> None:
    prove_ledger(now=NOW)
    prove_ledger(now=NOW)
    assert [str(anchor).split(" of ")[0] for anchor in LedgerAnchor.objects.all()] == ["anchor 4"]


def test_a_broken_account_is_not_anchored(tenant: TenantId) -> None:
    tamper("UPDATE billing_reserveaccount SET held_micros = 5")
    prove_ledger(now=NOW)
    assert not LedgerAnchor.objects.exists()


def test_a_hold_long_past_its_lease_is_found(tenant: TenantId) -> None:
    late = NOW + LEASE + SWEEP_GRACE
    assert prove_ledger(now=late).is_ok
    assert "1 holds are open long past" in prove_ledger(now=late + timedelta(seconds=1)).first_broken


def test_the_last_proof_is_kept(tenant: TenantId) -> None:
    assert selectors.find_last_proof() is None
    prove_ledger(now=NOW)
    newest = prove_ledger(now=NOW + timedelta(days=1))
    assert selectors.find_last_proof() == newest
    assert LedgerProof.objects.count() == 2


def test_the_command_says_that_the_ledger_holds(tenant: TenantId) -> None:
    out = StringIO()
    with time_machine.travel(NOW, tick=False):
        call_command("prove_ledger", stdout=out)
    assert "The ledger holds: 1 accounts, 4 entries, 2 usage events" in out.getvalue()


def test_the_command_fails_with_the_first_broken_row(tenant: TenantId) -> None:
    tamper("UPDATE billing_reserveledgerentry SET description = 'x' WHERE seq = 1")
    with (
        time_machine.travel(NOW, tick=False),
        pytest.raises(CommandError, match=r"First: 1\. .*: account .* entry 1: was changed"),
    ):
        call_command("prove_ledger")
