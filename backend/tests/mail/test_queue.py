"""Queuing mails in the transaction of what they tell about."""

import pytest
from django.db import transaction

from apps.common import clock
from apps.common.ids import uuid7
from apps.mail import dispatch, services
from apps.mail.models import OutgoingMail
from apps.mail.registry import UnknownKind
from apps.mail.types import MailState
from tests.mail.samples import KIND, queue

pytestmark = pytest.mark.django_db


def test_a_queued_mail_waits_for_the_worker() -> None:
    queue(to="ada@example.org")
    mail = OutgoingMail.objects.get()
    assert (mail.kind, mail.to, mail.state, mail.attempts, mail.key) == (
        KIND,
        "ada@example.org",
        MailState.PENDING,
        0,
        None,
    )


def test_what_is_rolled_back_sends_no_mail() -> None:
    with transaction.atomic():
        queue()
        transaction.set_rollback(True)
    assert not OutgoingMail.objects.exists()


def test_the_same_key_queues_one_mail() -> None:
    queue(key="once")
    queue(key="once")
    assert OutgoingMail.objects.count() == 1


def test_without_a_key_every_mail_counts() -> None:
    queue()
    queue()
    assert OutgoingMail.objects.count() == 2


def test_a_kind_that_nobody_knows_is_an_error_of_the_program() -> None:
    with pytest.raises(UnknownKind):
        services.queue_mail(kind="nothing", user_id=None, to="a@example.org", context={}, now=clock.now())


@pytest.mark.django_db(transaction=True)
def test_the_worker_is_told_once_the_row_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(dispatch, "_senders", [lambda: seen.append(OutgoingMail.objects.count())])
    with transaction.atomic():
        queue()
        assert seen == []
    assert seen == [1]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_keeps_nothing_from_being_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ConnectionError

    monkeypatch.setattr(dispatch, "_senders", [fail])
    queue()
    assert OutgoingMail.objects.count() == 1


def test_a_person_who_is_gone_leaves_neither_address_nor_content() -> None:
    user = uuid7()
    queue(to="ada@example.org", user_id=user, context={"name": "Ada"})
    queue(to="bob@example.org", user_id=uuid7())
    assert services.forget_user(user_id=user, now=clock.now()) == 1
    mail = OutgoingMail.objects.get(user_id=user)
    assert (mail.to, mail.context, mail.state) == ("", {}, MailState.DROPPED)
    assert OutgoingMail.objects.exclude(user_id=user).get().to == "bob@example.org"
