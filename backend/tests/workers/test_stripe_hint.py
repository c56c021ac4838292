"""One hint stands for all of Stripe's messages that wait when it is taken up."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery import current_app
from django.conf import settings
from redis.exceptions import ConnectionError as StoreAway

from apps.workers import sender
from apps.workers.sender import send_stripe_hint, take_stripe_hint
from apps.workers.tasks import run_stripe_inbox


@pytest.fixture
def broker() -> Iterator[Any]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    take_stripe_hint()
    client.delete(settings.CELERY_TASK_DEFAULT_QUEUE)
    yield client
    client.delete(settings.CELERY_TASK_DEFAULT_QUEUE)
    take_stripe_hint()
    client.close()


def tasks_in(broker: Any) -> list[str]:
    messages = broker.lrange(settings.CELERY_TASK_DEFAULT_QUEUE, 0, -1)
    return [json.loads(message)["headers"]["task"] for message in messages]


def test_the_hint_names_the_task(broker: Any) -> None:
    send_stripe_hint()
    current_app.loader.import_default_modules()
    [task] = tasks_in(broker)
    assert task in current_app.tasks


def test_a_hint_that_waits_is_not_sent_again(broker: Any) -> None:
    send_stripe_hint()
    send_stripe_hint()
    assert len(tasks_in(broker)) == 1


@pytest.mark.django_db
def test_what_comes_once_the_worker_looks_is_told_again(broker: Any) -> None:
    send_stripe_hint()
    run_stripe_inbox()
    send_stripe_hint()
    assert len(tasks_in(broker)) == 2


def test_a_hint_that_got_lost_is_forgotten_soon(broker: Any) -> None:
    send_stripe_hint()
    assert 0 < broker.ttl(sender._STRIPE_HINT) <= 10


@pytest.mark.django_db
def test_the_worker_looks_also_when_the_store_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise StoreAway

    monkeypatch.setattr(sender, "_open_store", refuse)
    assert run_stripe_inbox() == 0
