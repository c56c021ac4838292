"""The duties about payments, as Celery runs them."""

import json

import pytest
import redis
from celery import current_app
from django.conf import LazySettings, settings
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.billing import dispatch
from apps.billing.models import ReserveLedgerEntry, StripeEvent
from apps.billing.services.payments.checkout import start_topup
from apps.common import clock
from apps.workers.sender import send_stripe_hint, take_stripe_hint
from apps.workers.tasks import run_payment_looks, run_reconciliation, run_stripe_inbox
from tests.factories.accounts import make_actor
from tests.stripe_world import StripeWorld

pytestmark = pytest.mark.django_db


def pay(stripe: StripeWorld) -> None:
    started = start_topup(actor=make_actor(), amount_cents=2000, saves_card=False, request_key="k", now=clock.now())
    stripe.pay(started.session_id)


def test_the_hint_names_the_task_once_for_many_messages() -> None:
    broker = redis.Redis.from_url(settings.REDIS_URL)
    broker.delete(settings.CELERY_TASK_DEFAULT_QUEUE)
    take_stripe_hint()
    send_stripe_hint()
    send_stripe_hint()
    messages = broker.lrange(settings.CELERY_TASK_DEFAULT_QUEUE, 0, -1)
    broker.delete(settings.CELERY_TASK_DEFAULT_QUEUE)
    broker.close()
    assert isinstance(messages, list)
    assert len(messages) == 1
    current_app.loader.import_default_modules()
    assert json.loads(messages[0])["headers"]["task"] in current_app.tasks


@pytest.mark.failure("N05")
def test_a_message_is_kept_when_the_worker_cannot_be_told(
    stripe: StripeWorld,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    hints = []

    def fail() -> None:
        hints.append("hint")
        raise OSError("no broker")

    monkeypatch.setattr(dispatch, "_senders", [fail])
    pay(stripe)
    with django_capture_on_commit_callbacks(execute=True):
        stripe.send_all(stripe.events("payment_intent.succeeded"))
    assert hints == ["hint"]
    assert run_stripe_inbox() == 1
    assert ReserveLedgerEntry.objects.count() == 1


def test_a_round_of_the_inbox_works_on_what_is_due(stripe: StripeWorld) -> None:
    pay(stripe)
    stripe.send_all()
    assert (run_stripe_inbox(), run_stripe_inbox()) == (len(stripe.events()), 0)
    assert StripeEvent.objects.filter(due_at__isnull=False).count() == 0


def test_a_round_of_the_janitor_leaves_fresh_payments_alone(stripe: StripeWorld) -> None:
    pay(stripe)
    assert run_payment_looks() == 0


@pytest.mark.failure("D20")
def test_the_reconciliation_runs_once_a_day_and_again_after_it_was_cut_short(stripe: StripeWorld) -> None:
    pay(stripe)
    stripe.turn(kind="status", status=500, match="GET /v1/payment_intents")
    with pytest.raises(Exception, match="does not answer"):
        run_reconciliation()
    assert (run_reconciliation(), run_reconciliation()) == ("done", "done before")
    assert ReserveLedgerEntry.objects.count() == 1


def test_without_an_account_at_stripe_the_duties_rest(settings: LazySettings) -> None:
    settings.STRIPE_SECRET_KEY = ""
    assert (run_stripe_inbox(), run_payment_looks()) == (0, 0)
    assert run_reconciliation() == "payments are not set up"
