"""Owners whose reserve fills itself up, and a clock that tests move."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from apps.billing.models import AutoTopup, PaymentAttempt, RateCardVersion
from apps.billing.payment_types import PaymentKind, PaymentState
from apps.billing.services.payments.automatic import edit_settings
from apps.billing.services.payments.charging import check_account
from apps.billing.services.payments.checkout import start_topup
from apps.billing.services.payments.looking import confirm_topup
from apps.common import clock
from apps.common.ids import uuid7
from apps.tenants.types import Actor
from tests.factories.accounts import make_actor
from tests.factories.billing import get_account, make_hold, publish_prices, settle
from tests.stripe_world import StripeWorld

DOLLAR = 1_000_000


@dataclass
class Hands:
    """A clock: begins now, and goes on as a test says."""

    start: datetime = field(default_factory=clock.now)
    passed: timedelta = timedelta()

    def __call__(self) -> datetime:
        return self.start + self.passed

    def wait(self, **span: float) -> None:
        self.passed += timedelta(**span)


@dataclass
class Saver:
    """The owner of a reserve of 10 dollars with a saved card: below 5 it fills up by 20, at most 100 in a month."""

    actor: Actor
    stripe: StripeWorld
    clock: Hands = field(default_factory=Hands)

    def spend_down_to(self, dollars: float) -> None:
        """Spends in one call; holds need the real time of prices, not of the test."""
        amount = get_account(self.actor.tenant).balance_micros - int(dollars * DOLLAR)
        settle(make_hold(self.actor.tenant, amount), amount)

    def check(self) -> PaymentState | None:
        return check_account(tenant=self.actor.tenant, clock=self.clock)

    @property
    def balance(self) -> float:
        return get_account(self.actor.tenant).balance_micros / DOLLAR

    @property
    def machine(self) -> AutoTopup:
        return AutoTopup.objects.get(tenant_id=self.actor.tenant)

    @property
    def charges(self) -> list[str]:
        """States of the automatic payments, oldest first."""
        rows = PaymentAttempt.objects.filter(tenant_id=self.actor.tenant, kind=PaymentKind.AUTOMATIC)
        return [*rows.order_by("id").values_list("state", flat=True)]

    def charged_cents(self) -> int:
        """What the card was really charged without its owner, by the stand-in's own journal."""
        return self.stripe.taken_cents() - 1000

    def change(self, **changes: int | bool) -> None:
        edit_settings(actor=self.actor, changes=changes, now=self.clock())


def make_saver(stripe: StripeWorld, *, card: str = "pm_card_visa", **changes: int | bool) -> Saver:
    """Pays 10 dollars at the checkout and keeps the card there, then asks to be filled up."""
    saver = Saver(make_actor(), stripe)
    if not RateCardVersion.objects.exists():
        publish_prices()
    pay(saver, 1000, saves_card=True, card=card)
    saver.change(
        **{
            "is_on": True,
            "threshold_micros": 5 * DOLLAR,
            "amount_micros": 20 * DOLLAR,
            "monthly_cap_micros": 100 * DOLLAR,
            **changes,
        }
    )
    return saver


def open_page(saver: Saver, cents: int, *, saves_card: bool = False) -> str:
    """A payment page that somebody has just opened."""
    started = start_topup(
        actor=saver.actor, amount_cents=cents, saves_card=saves_card, request_key=str(uuid7()), now=saver.clock()
    )
    return started.session_id


def pay(saver: Saver, cents: int, *, saves_card: bool = False, card: str = "pm_card_visa") -> None:
    """A payment at the page, from the beginning to the credit."""
    session_id = open_page(saver, cents, saves_card=saves_card)
    saver.stripe.pay(session_id, card=card)
    confirm_topup(actor=saver.actor, session_id=session_id, now=saver.clock())
