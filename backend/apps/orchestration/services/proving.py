"""The proof of all the money: the books, payments, Stripe's side, the calls to models, and the anchors outside."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from typing import Final
from uuid import UUID

import structlog

from apps.artifacts import storage
from apps.billing import selectors as billing_selectors
from apps.billing import stripe_gateway
from apps.billing.payment_types import PaymentsNotSetUp
from apps.billing.services import proof
from apps.billing.services.proof import Findings, Head, Invariant, Problem
from apps.billing.services.proof.calls import Booking
from apps.billing.types import HoldState
from apps.common.tenancy import SystemScope, TenantId, system_scope, tenant_scope
from apps.llm.selectors import list_call_states
from apps.llm.types import CallState

_log = structlog.get_logger(__name__)

ANCHORS: Final = "ledger-anchors"
# How far back Stripe's lists are read. What is older was compared before, and disputes end sooner than that.
STRIPE_SPAN: Final = timedelta(days=130)
# What Stripe made within this time may still be on its way to us: the janitor comes by several times.
STRIPE_GRACE: Final = timedelta(hours=2)
_PAGE: Final = 2000


def prove_money(
    *, now: datetime, sweep_grace: timedelta = proof.SWEEP_GRACE, stripe_grace: timedelta = STRIPE_GRACE
) -> Findings:
    """Proves the eight rules of the money on the live database, keeps the result, and anchors a proved ledger outside.

    What cannot be asked (Stripe is not set up or does not answer, the storage is away) is noted as skipped, in the log
    too. A broken rule is an alarm in the log.
    """
    with system_scope(SystemScope.PROOF):
        findings = proof.read_books(now=now, sweep_grace=sweep_grace)
        findings.add(proof.check_payments(findings))
        _compare_with_stripe(findings, since=now - STRIPE_SPAN, settled_before=now - stripe_grace)
        tenants = billing_selectors.list_tenants_with_reserve()
        _compare_with_anchors(findings)
    for tenant in tenants:
        with tenant_scope(tenant):
            findings.add(_check_calls(tenant, findings))
    with system_scope(SystemScope.PROOF):
        proof.store_proof(findings=findings, now=now)
        if not findings.problems:
            _keep_anchors(findings, now=now)
    return findings


def _compare_with_stripe(findings: Findings, *, since: datetime, settled_before: datetime) -> None:
    try:
        gateway = stripe_gateway.get_gateway()
        findings.add(proof.check_stripe(gateway=gateway, since=since, settled_before=settled_before))
    except PaymentsNotSetUp:
        findings.skip("Stripe's side: payments are not set up")
    except (stripe_gateway.Ambiguous, stripe_gateway.Refused, stripe_gateway.Missing) as error:
        findings.skip(f"Stripe's side: it does not answer ({type(error).__name__})")


def _check_calls(tenant: TenantId, findings: Findings) -> Iterator[Problem]:
    """Rule 6. The calls are read before their bookings, and both are written in one commit."""
    after: UUID | None = None
    while page := list_call_states(tenant=tenant, after=after, limit=_PAGE):
        after = page[-1][0]
        findings.calls += len(page)
        bookings = proof.count_bookings(tenant=tenant, call_ids=[call for call, _ in page])
        for call, state in page:
            booking = bookings.get(call, Booking())
            if not _is_booked_right(state, booking):
                text = f"is {state} with {booking.events} usage events and {booking.losses} losses"
                yield Problem(Invariant.CALLS, f"call {call}: {text}")


def _is_booked_right(state: CallState, booking: Booking) -> bool:
    booked = booking.events + booking.losses
    if state == CallState.ANSWERED:
        return booked == 1
    if state == CallState.LOST:
        return (booking.events, booking.losses) == (0, 1)
    if state == CallState.FAILED:
        return booking.events == 0 and booked <= 1 and booking.hold != HoldState.OPEN
    return True


def _compare_with_anchors(findings: Findings) -> None:
    """Compares with the newest file of heads, which nobody who can only write to the database can have changed."""
    try:
        keys = [key for key, _ in storage.list_objects(folder=ANCHORS)]
        if not keys:
            return
        with storage.open_object(key=max(keys)) as file:
            content = file.read()
    except Exception:  # noqa: BLE001 - whatever the storage raises: the rest of the proof does not depend on it
        _log.exception("proof.anchors_unreachable")
        findings.skip("Anchors outside the database: the storage does not answer")
        return
    try:
        heads = [Head(UUID(account), int(seq), str(digest)) for account, seq, digest in json.loads(content)["heads"]]
    except (ValueError, KeyError, TypeError):
        findings.add([Problem(Invariant.BOOKS, f"anchors {max(keys)}: cannot be read")])
        return
    findings.add(proof.check_heads(heads))


def _keep_anchors(findings: Findings, *, now: datetime) -> None:
    """One file a day, never written over."""
    key = f"{ANCHORS}/{now:%Y-%m-%d}.json"
    heads = [[str(head.account), head.seq, head.hash] for head in proof.list_heads()]
    content = json.dumps({"at": now.isoformat(), "heads": heads}).encode()
    try:
        if any(known == key for known, _ in storage.list_objects(folder=ANCHORS)):
            return
        storage.put_object(key=key, file=BytesIO(content))
    except Exception:  # noqa: BLE001 - whatever the storage raises: the proof itself holds and is kept
        _log.exception("proof.anchors_unreachable")
        findings.skip("Anchors outside the database: today's could not be kept")
