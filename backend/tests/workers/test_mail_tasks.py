"""The worker's duties about mail."""

import json
from datetime import timedelta

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.core import mail as outbox

from apps.common import clock
from apps.mail.kinds import CHECK
from apps.mail.models import OutgoingMail
from apps.mail.services import queue_mail
from apps.workers.sender import send_mail_hint
from apps.workers.tasks import run_mail_delivery, run_mail_erasure

pytestmark = pytest.mark.django_db


def queue() -> None:
    queue_mail(kind=CHECK, user_id=None, to="ada@example.org", context={}, now=clock.now())


def test_the_hint_names_the_task() -> None:
    broker = redis.Redis.from_url(settings.REDIS_URL)
    broker.delete(settings.CELERY_TASK_DEFAULT_QUEUE)
    send_mail_hint()
    messages = broker.lrange(settings.CELERY_TASK_DEFAULT_QUEUE, 0, -1)
    broker.delete(settings.CELERY_TASK_DEFAULT_QUEUE)
    broker.close()
    assert isinstance(messages, list)
    current_app.loader.import_default_modules()
    assert json.loads(messages[0])["headers"]["task"] in current_app.tasks


def test_a_round_sends_what_is_due() -> None:
    queue()
    assert (run_mail_delivery(), run_mail_delivery()) == (1, 0)
    assert [message.to for message in outbox.outbox] == [["ada@example.org"]]


def test_the_daily_duty_forgets_old_mails() -> None:
    queue()
    run_mail_delivery()
    assert run_mail_erasure() == 0
    OutgoingMail.objects.update(ended_at=clock.now() - timedelta(days=31))
    assert run_mail_erasure() == 1
