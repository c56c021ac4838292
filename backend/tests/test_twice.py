"""Scripts of operations that are run twice do once what they are for."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from pathlib import Path
from threading import Barrier

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django_celery_beat.models import PeriodicTask

from apps.accounts.models import User
from apps.billing.models import PaymentAttempt, PaymentRefund, RateCardVersion, ReserveLedgerEntry, UsageEvent
from apps.billing.services.api_calls import count_call, flush_calls
from apps.billing.services.credits import adjust_reserve
from apps.billing.services.payments.refunds import ask_refund
from apps.billing.services.seed import publish_example_rate_cards
from apps.billing.services.watching import check_reserves
from apps.billing.types import Meter
from apps.common import clock
from apps.invitations.models import InvitePasskey
from apps.mail.models import OutgoingMail
from apps.observability.models import AuditEvent
from apps.orchestration.models import DataExport
from apps.orchestration.services.metering import meter_storage
from tests.billing.savers import make_saver
from tests.factories.accounts import make_actor, make_staff
from tests.factories.billing import make_quantity_line, publish_prices
from tests.factories.mydata import make_export
from tests.stripe_world import StripeWorld

pytestmark = pytest.mark.failure("D20")


def count_everything() -> Counter[str]:
    models = (
        *(User, RateCardVersion, ReserveLedgerEntry, InvitePasskey, PeriodicTask, AuditEvent),
        *(PaymentAttempt, PaymentRefund, UsageEvent, OutgoingMail),
    )
    return Counter({model.__name__: model._default_manager.count() for model in models})


def run_twice(act: Callable[[], object]) -> tuple[Counter[str], Counter[str]]:
    act()
    after_one = count_everything()
    act()
    return after_one, count_everything()


@pytest.mark.django_db
def test_bootstrap(tmp_path: Path) -> None:
    path = tmp_path / "password"
    first, second = run_twice(lambda: call_command("bootstrap", admin_password_file=path, stdout=StringIO()))
    assert first["User"] == 1
    assert first == second


@pytest.mark.django_db
def test_publishing_the_example_rate_cards() -> None:
    first, second = run_twice(lambda: publish_example_rate_cards(now=clock.now()))
    assert first["RateCardVersion"] > 0
    assert first == second


@pytest.mark.django_db
def test_metering_what_was_counted() -> None:
    now = clock.now()
    publish_prices(make_quantity_line(Meter.API_CALLS, price=100), make_quantity_line(Meter.STORAGE, price=100))
    actor = make_actor()
    DataExport.objects.filter(pk=make_export(actor).pk).update(size_bytes=10**9)
    count_call(tenant=actor.tenant, now=now)

    def meter() -> None:
        flush_calls(now=now + timedelta(hours=2))
        meter_storage(now=now)

    first, second = run_twice(meter)
    assert first["UsageEvent"] == 2
    assert first == second


@pytest.mark.django_db
def test_correcting_a_reserve_with_a_key() -> None:
    staff, tenant, now = make_staff(), make_actor().tenant, clock.now()
    first, second = run_twice(
        lambda: adjust_reserve(
            actor=staff, tenant=tenant, amount_micros=5, reason="Goodwill", idempotency_key="ticket-7", now=now
        )
    )
    assert first["ReserveLedgerEntry"] == 1
    assert first == second


@pytest.mark.django_db
def test_watching_over_low_reserves(stripe: StripeWorld) -> None:
    filled, told = make_saver(stripe), make_saver(stripe, is_on=False)
    for saver in (filled, told):
        saver.spend_down_to(0.5)
    first, second = run_twice(lambda: check_reserves(clock=clock.now))
    assert (filled.charges, told.charges) == (["succeeded"], [])
    assert first["OutgoingMail"] == 2
    assert first == second


@pytest.mark.django_db
def test_refunding_a_payment_with_a_key(stripe: StripeWorld) -> None:
    saver, staff = make_saver(stripe), make_staff()
    payment = PaymentAttempt.objects.get(tenant_id=saver.actor.tenant)
    first, second = run_twice(
        lambda: ask_refund(
            actor=staff,
            payment_id=payment.id,
            amount_micros=1_000_000,
            reason="Goodwill",
            request_key="ticket-8",
            clock=saver.clock,
        )
    )
    assert first["PaymentRefund"] == 1
    assert first == second


def create_passkey(*, key: str = "") -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("create_passkey", key=key, promo_credit="5.00", raw=True, stdout=out, stderr=err)
    return out.getvalue().strip(), err.getvalue()


@pytest.mark.django_db
def test_making_a_passkey_with_a_key() -> None:
    first, second = run_twice(lambda: create_passkey(key="campaign-2026"))
    assert first["InvitePasskey"] == 1
    assert first == second
    raw, remark = create_passkey(key="campaign-2026")
    assert raw == ""
    assert "was made under this key before" in remark


@pytest.mark.django_db
def test_without_a_key_each_run_makes_a_passkey() -> None:
    assert create_passkey()[0] != create_passkey()[0]
    assert InvitePasskey.objects.count() == 2


@pytest.mark.django_db
def test_a_key_that_is_too_long_is_refused() -> None:
    with pytest.raises(CommandError, match="at most 120"):
        create_passkey(key="k" * 121)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_making_a_passkey_with_a_key_in_many_shells_at_once() -> None:
    barrier = Barrier(8)

    def run(_: int) -> bool:
        try:
            barrier.wait(timeout=20)
            return bool(create_passkey(key="campaign-2026")[0])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(run, range(8))) == {True: 1, False: 7}
    assert InvitePasskey.objects.count() == 1
