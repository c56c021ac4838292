"""Two who deliver at once, and one who dies in the middle."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection

from apps.common import clock
from apps.mail import dispatch
from apps.mail.delivery import LEASE, deliver_due
from apps.mail.kinds import CHECK
from apps.mail.models import OutgoingMail
from apps.mail.services import queue_mail
from apps.mail.types import MailState
from tests.mail.mailserver import MailServer, serving_mail

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

MAILS = 12


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_senders", [])


def queue(number: int = 0) -> None:
    queue_mail(kind=CHECK, user_id=None, to=f"person{number}@example.org", context={}, now=clock.now())


def deliver_at_once(count: int) -> None:
    barrier = threading.Barrier(count)

    def deliver() -> None:
        try:
            barrier.wait(timeout=10)
            deliver_due(clock=clock.now)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)


def test_of_those_who_deliver_at_once_each_mail_is_sent_by_one() -> None:
    for number in range(MAILS):
        queue(number)
    with serving_mail() as server:
        deliver_at_once(4)
        while deliver_due(clock=clock.now).sent:
            pass
    assert Counter(server.recipients) == {f"person{number}@example.org": 1 for number in range(MAILS)}
    assert OutgoingMail.objects.filter(state=MailState.SENT, attempts=1).count() == MAILS


def die_after_the_server_said_yes(server: MailServer) -> int:
    """Runs the command in a process that kills itself there; returns how it ended."""
    database = settings.DATABASES["default"]
    url = f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": f"{url}/{connection.settings_dict['NAME']}",
        "EMAIL_URL": f"smtp://127.0.0.1:{server.port}",
        "FAILPOINTS": "after_mail_accepted=kill",
    }
    command = [sys.executable, "-W", "ignore", "manage.py", "send_mails"]
    return subprocess.run(command, cwd=settings.BASE_DIR, env=environment, check=False, timeout=60).returncode  # noqa: S603


@pytest.mark.failure("N35")
def test_a_sender_that_dies_after_the_servers_yes_leaves_at_most_one_copy_that_can_be_recognised() -> None:
    queue()
    with serving_mail() as server:
        assert die_after_the_server_said_yes(server) == -signal.SIGKILL
        assert OutgoingMail.objects.get().state == MailState.SENDING
        assert deliver_due(clock=clock.now).sent == 0
        for hours in (1, 2, 3):
            deliver_due(clock=lambda: clock.now() + LEASE + timedelta(hours=hours))  # noqa: B023 - called at once
    assert [mail["Message-ID"] for mail in server.mails] == [server.mails[0]["Message-ID"]] * 2
    assert OutgoingMail.objects.get().state == MailState.SENT
