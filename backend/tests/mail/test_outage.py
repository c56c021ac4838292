"""Mail is away: nothing that a person does waits for it."""

import time

import pytest
from django.db import transaction

from apps.accounts.models import User
from apps.common import clock
from apps.invitations.services import create_passkey
from apps.mail.delivery import deliver_due
from apps.mail.models import OutgoingMail
from apps.mail.types import MailState
from devstack.net import free_port
from tests.api_client import anonymous
from tests.factories.accounts import PASSWORD, make_actor
from tests.mail.mailserver import mail_goes_to, serving_mail
from tests.mail.samples import queue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.failure("N35")]


def test_a_person_can_sign_up_while_mail_is_down() -> None:
    _, passkey = create_passkey(actor=None, now=clock.now())
    body = {"username": "ada", "email": "ada@example.org", "password": PASSWORD, "passkey": passkey}
    with mail_goes_to(free_port()):
        assert anonymous().post("/api/auth/signup/", body).status_code == 201
        deliver_due(clock=clock.now)
    assert User.objects.filter(username="ada").exists()
    assert not OutgoingMail.objects.filter(state=MailState.SENT).exists()


def test_a_password_can_be_asked_for_while_mail_is_down() -> None:
    make_actor(email="ada@example.org")
    with mail_goes_to(free_port()):
        began = time.monotonic()
        response = anonymous().post("/api/auth/password/reset/", {"email": "ada@example.org"})
    assert response.status_code == 202
    assert time.monotonic() - began < 2
    mail = OutgoingMail.objects.get(to="ada@example.org")
    assert mail.state == MailState.PENDING
    with serving_mail() as server:
        deliver_due(clock=clock.now)
    assert server.recipients == ["ada@example.org"]


def test_what_was_queued_while_mail_was_down_arrives_later() -> None:
    with transaction.atomic():
        queue()
    with mail_goes_to(free_port()):
        deliver_due(clock=clock.now)
    with serving_mail() as server:
        later = OutgoingMail.objects.get().due_at
        deliver_due(clock=lambda: later)
    assert server.recipients == ["ada@example.org"]
