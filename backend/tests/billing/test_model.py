"""The reserve against a model of it: any history of spends, credits, clawbacks, replays and new prices.

The model keeps plain numbers in dictionaries. After each step both must agree on what was accepted and on what is left;
at the end of each history the whole ledger must prove.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apps.billing import selectors
from apps.billing.cost_types import MeteredUse
from apps.billing.models import PaymentAttempt, PaymentDispute, PaymentRefund
from apps.billing.payment_types import PaymentKind
from apps.billing.services import holds
from apps.billing.services.credits import adjust_reserve, grant_promo_credit
from apps.billing.services.ledger import post_entry
from apps.billing.services.metering import record_batch
from apps.billing.services.proof import Findings, check_payments, prove_ledger
from apps.billing.types import (
    BelowFloor,
    HoldNotOpen,
    HoldState,
    HoldView,
    IdempotencyMismatch,
    InsufficientReserve,
    LossReason,
    Meter,
    Policy,
    TokenUsage,
)
from apps.common.errors import DomainError
from apps.common.ids import uuid7
from tests.factories.accounts import make_staff
from tests.factories.billing import (
    LEASE,
    NOW,
    PLAIN_MODEL,
    claw_back,
    draft_of,
    fail_refund,
    get_account,
    make_dispute,
    make_lines,
    make_payment,
    make_quote,
    make_refund,
    make_reserve,
    publish_prices,
    reinstate,
    settle,
)

FLOOR = -200


@dataclass
class ModelHold:
    """What the model knows of a hold."""

    view: HoldView
    tokens: int
    price: int
    version: int
    job_id: UUID
    is_open: bool = True


@dataclass
class Model:
    """The reserve in a few numbers."""

    policy: Policy = Policy.BLOCK
    balance: int = 0
    is_stopped: bool = False
    holds: dict[str, ModelHold] = field(default_factory=dict)
    # What is left of each payment, and what each refund and dispute took.
    left: dict[UUID, int] = field(default_factory=dict)
    taken: dict[UUID, int] = field(default_factory=dict)

    @property
    def held(self) -> int:
        return sum(hold.tokens * hold.price for hold in self.holds.values() if hold.is_open)

    @property
    def spendable(self) -> int:
        floor = FLOOR if self.policy is Policy.WARN else 0
        return 0 if self.is_stopped else max(0, self.balance - self.held - floor)

    def move(self, micros: int, *, is_clawback: bool = False) -> None:
        self.balance += micros
        if self.balance >= 0:
            self.is_stopped = False
        elif is_clawback:
            self.is_stopped = True

    def take_back(self, payment: UUID, row: UUID, micros: int) -> None:
        self.left[payment] -= micros
        self.taken[row] = micros
        self.move(-micros, is_clawback=True)

    def give_back(self, payment: UUID, row: UUID) -> None:
        self.left[payment] += self.taken[row]
        self.move(self.taken.pop(row))


amounts = st.one_of(st.sampled_from([1, 2, 100]), st.integers(1, 500))
offsets = st.sampled_from([-1, 0, 1])


class Reserve(RuleBasedStateMachine):
    opened: Bundle[str] = Bundle("opened")
    promotions: Bundle[tuple[UUID, int]] = Bundle("promotions")
    payments: Bundle[PaymentAttempt] = Bundle("payments")
    refunds: Bundle[PaymentRefund] = Bundle("refunds")
    disputes: Bundle[PaymentDispute] = Bundle("disputes")
    metered: Bundle[tuple[MeteredUse, ...]] = Bundle("metered")

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.model, self.price, self.version, self.now = Model(), 1, 1, NOW
        self.staff = make_staff()

    def teardown(self) -> None:
        try:
            connection.check_constraints()
            proof = prove_ledger(now=NOW)
            assert proof.is_ok, proof.first_broken
            assert list(check_payments(Findings())) == []
        finally:
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    @initialize(policy=st.sampled_from([Policy.BLOCK, Policy.WARN, Policy.LIMITED]))
    def open(self, policy: Policy) -> None:
        publish_prices()
        self.model.policy = policy
        self.tenant = make_reserve(policy=policy, floor=FLOOR)

    def attempt(self, act: Callable[[], Any], *, refusal: type[DomainError] | None) -> Any:
        """Does it in a transaction of its own and expects exactly the model's verdict."""
        verdict: type[DomainError] | None = None
        try:
            with transaction.atomic():
                done = act()
        except DomainError as error:
            done, verdict = None, type(error)
        assert verdict is refusal
        return done

    @rule(target=promotions, micros=amounts)
    def promote(self, micros: int) -> tuple[UUID, int]:
        source = uuid7()
        self.attempt(lambda: self._grant(source, micros), refusal=None)
        self.model.move(micros)
        return source, micros

    def _grant(self, source: UUID, micros: int) -> Any:
        return grant_promo_credit(
            tenant=self.tenant, amount_micros=micros, source=source, description="Welcome", now=self.now
        )

    @rule(promotion=promotions)
    def promote_again(self, promotion: tuple[UUID, int]) -> None:
        entry = self.attempt(lambda: self._grant(*promotion), refusal=None)
        assert entry.is_replay

    @rule(promotion=promotions)
    def promote_again_with_another_amount(self, promotion: tuple[UUID, int]) -> None:
        source, micros = promotion
        self.attempt(lambda: self._grant(source, micros + 1), refusal=IdempotencyMismatch)

    @rule(micros=amounts, is_credit=st.booleans())
    def adjust(self, micros: int, is_credit: bool) -> None:
        signed = micros if is_credit else -micros
        is_too_low = signed < 0 and self.model.balance + signed - self.model.held < FLOOR
        self.attempt(
            lambda: adjust_reserve(
                actor=self.staff,
                tenant=self.tenant,
                amount_micros=signed,
                reason="Goodwill",
                idempotency_key=str(uuid7()),
                now=self.now,
            ),
            refusal=BelowFloor if is_too_low else None,
        )
        if not is_too_low:
            self.model.move(signed)

    @rule(target=payments, micros=amounts, kind=st.sampled_from(PaymentKind))
    def pay(self, micros: int, kind: PaymentKind) -> PaymentAttempt:
        payment = self.attempt(lambda: make_payment(self.tenant, micros, kind=kind, now=self.now), refusal=None)
        self.model.move(micros)
        self.model.left[payment.id] = micros
        return payment  # type: ignore[no-any-return]

    @rule(payment=payments)
    def credit_a_payment_again(self, payment: PaymentAttempt) -> None:
        draft = draft_of(payment)
        entry = self.attempt(lambda: post_entry(tenant=self.tenant, draft=draft, now=self.now), refusal=None)
        assert entry.is_replay

    @rule(target=refunds, payment=payments, micros=amounts)
    def refund(self, payment: PaymentAttempt, micros: int) -> Any:
        return self._take_back(payment, micros, lambda micros: make_refund(payment, micros, now=self.now))

    @rule(target=disputes, payment=payments, micros=amounts)
    def dispute(self, payment: PaymentAttempt, micros: int) -> Any:
        return self._take_back(payment, micros, lambda micros: make_dispute(payment, micros, now=self.now))

    def _take_back(self, payment: PaymentAttempt, micros: int, act: Callable[[int], Any]) -> Any:
        """Some of a payment, or all that is left of it."""
        micros = min(micros, self.model.left[payment.id])
        if not micros:
            return multiple()
        row = self.attempt(lambda: act(micros), refusal=None)
        self.model.take_back(payment.id, row.id, micros)
        return row

    @rule(payment=payments, kind=st.sampled_from([make_refund, make_dispute]))
    def take_back_more_than_is_left(self, payment: PaymentAttempt, kind: Callable[..., Any]) -> None:
        def take() -> None:
            with transaction.atomic():
                kind(payment, self.model.left[payment.id] + 1, now=self.now)
                connection.check_constraints()

        with pytest.raises(IntegrityError, match="was taken back of"):
            take()

    @rule(refund=consumes(refunds))
    def see_a_refund_fail(self, refund: PaymentRefund) -> None:
        self.attempt(lambda: fail_refund(refund, now=self.now), refusal=None)
        self.model.give_back(refund.attempt_id, refund.id)

    @rule(dispute=consumes(disputes))
    def win_a_dispute(self, dispute: PaymentDispute) -> None:
        self.attempt(lambda: reinstate(dispute, now=self.now), refusal=None)
        self.model.give_back(dispute.attempt_id, dispute.id)

    @rule(offset=offsets)
    def claw_back_about_to_the_floor(self, offset: int) -> None:
        """A payment that was spent first: the way below any floor."""
        micros = max(1, self.model.balance - FLOOR + offset)
        is_spent = self.model.balance - self.model.held >= FLOOR
        self.attempt(lambda: claw_back(self.tenant, micros, now=self.now), refusal=None if is_spent else BelowFloor)
        if is_spent:
            self.model.move(micros)
            self.model.move(-micros)
            self.model.move(-micros, is_clawback=True)

    def _place(self, key: str, tokens: int, *, job_id: UUID, call_id: UUID) -> Any:
        return holds.place_hold(
            tenant=self.tenant,
            operation_key=key,
            quote=make_quote(self.tenant, tokens, at=self.now),
            job_id=job_id,
            call_id=call_id,
            now=self.now,
            lease=LEASE,
        )

    def _hold(self, tokens: int) -> Any:
        key, job_id, call_id = str(uuid7()), uuid7(), uuid7()
        is_affordable = tokens * self.price <= self.model.spendable
        view = self.attempt(
            lambda: self._place(key, tokens, job_id=job_id, call_id=call_id),
            refusal=None if is_affordable else InsufficientReserve,
        )
        if view is None:
            return multiple()
        self.model.holds[key] = ModelHold(
            view=view, tokens=tokens, price=self.price, version=self.version, job_id=job_id
        )
        return key

    @rule(target=opened, tokens=st.integers(0, 300))
    def hold(self, tokens: int) -> Any:
        return self._hold(tokens)

    @rule(target=opened, offset=offsets)
    def hold_about_all_there_is(self, offset: int) -> Any:
        return self._hold(max(0, self.model.spendable // self.price + offset))

    @rule(key=opened, offset=offsets)
    def hold_again(self, key: str, offset: int) -> None:
        """With the same ceiling, or another; after new prices the first hold stands in any case."""
        hold = self.model.holds[key]
        tokens = max(0, hold.tokens + offset)
        is_same = tokens == hold.tokens or self.version != hold.version
        view = self.attempt(
            lambda: self._place(key, tokens, job_id=hold.job_id, call_id=hold.view.call_id),
            refusal=None if is_same else IdempotencyMismatch,
        )
        if view is not None:
            assert (view.id, view.is_replay, view.state == HoldState.OPEN) == (hold.view.id, True, hold.is_open)

    def _end(self, key: str, act: Callable[[HoldView], Any]) -> tuple[Any, bool]:
        hold = self.model.holds[key]
        was_open = hold.is_open
        done = self.attempt(lambda: act(hold.view), refusal=None if was_open else HoldNotOpen)
        hold.is_open = False
        return done, was_open

    @rule(key=opened, tokens=st.integers(0, 400))
    def settle(self, key: str, tokens: int) -> None:
        self._settle(key, tokens)

    @rule(key=opened, offset=offsets)
    def settle_about_the_ceiling(self, key: str, offset: int) -> None:
        self._settle(key, max(0, self.model.holds[key].tokens + offset))

    def _settle(self, key: str, tokens: int) -> None:
        hold = self.model.holds[key]
        used, ceiling = tokens * hold.price, hold.tokens * hold.price
        paid = min(used, ceiling, max(0, self.model.balance - FLOOR))
        settlement, was_open = self._end(key, lambda view: settle(view, tokens, now=self.now))
        if was_open:
            assert (settlement.cost_micros, settlement.loss_micros) == (paid, used - paid)
            self.model.move(-paid)

    @rule(key=opened)
    def release(self, key: str) -> None:
        self._end(key, lambda view: holds.release_hold(tenant=self.tenant, hold_id=view.id, now=self.now))

    @rule(key=opened, reason=st.sampled_from([LossReason.OUTCOME_UNKNOWN, LossReason.USAGE_UNKNOWN]))
    def expire(self, key: str, reason: LossReason) -> None:
        self._end(key, lambda view: holds.expire_hold(tenant=self.tenant, hold_id=view.id, reason=reason, now=self.now))

    @rule(key=opened)
    def renew(self, key: str) -> None:
        hold = self.model.holds[key]
        self.attempt(
            lambda: holds.renew_hold(tenant=self.tenant, hold_id=hold.view.id, now=self.now, lease=LEASE),
            refusal=None if hold.is_open else HoldNotOpen,
        )

    @rule(target=metered, tokens=st.lists(st.integers(0, 300), min_size=1, max_size=4))
    def meter(self, tokens: list[int]) -> tuple[MeteredUse, ...]:
        """What was used and is over is charged as far as may be spent; nothing is refused."""
        uses = tuple(
            MeteredUse(
                meter=Meter.LLM_TOKENS,
                key=str(uuid7()),
                occurred_at=self.now,
                usage=TokenUsage(input=count),
                model=PLAIN_MODEL,
            )
            for count in tokens
        )
        self.attempt(lambda: record_batch(tenant=self.tenant, uses=uses, now=self.now), refusal=None)
        for count in tokens:
            self.model.move(-min(count * self.price, self.model.spendable))
        return uses

    @rule(uses=metered)
    def meter_again(self, uses: tuple[MeteredUse, ...]) -> None:
        self.attempt(lambda: record_batch(tenant=self.tenant, uses=uses[::-1], now=self.now), refusal=None)

    @precondition(lambda self: self.now < NOW + timedelta(seconds=3))
    @rule(price=st.integers(1, 3))
    def change_prices(self, price: int) -> None:
        self.now += timedelta(seconds=1)
        publish_prices(*make_lines(price=price * 1_000_000), valid_from=self.now)
        self.price, self.version = price, self.version + 1

    @invariant()
    def both_agree(self) -> None:
        if not hasattr(self, "tenant"):
            return
        connection.check_constraints()
        account, balance = get_account(self.tenant), selectors.get_balance(tenant=self.tenant)
        assert (balance.balance_micros, balance.held_micros) == (self.model.balance, self.model.held)
        assert account.is_stopped == self.model.is_stopped
        assert selectors.get_spendable(tenant=self.tenant) == self.model.spendable


@pytest.mark.failure("M12", "M14", "M15", "M23", "M24", "M25", "M30", "M36")
@pytest.mark.django_db
def test_any_history_of_a_reserve_agrees_with_the_model() -> None:
    run_state_machine_as_test(
        Reserve,
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # A failure prints its steps as found: shrinking them through the database takes minutes.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
