"""Sending what is due: once each, again after a failure, and never for ever."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from apps.common import clock
from apps.mail import services
from apps.mail.delivery import LEASE, MAX_ATTEMPTS, MAX_SENDERS, deliver_due, pause_after
from apps.mail.models import OutgoingMail
from apps.mail.registry import Obsolete
from apps.mail.types import Delivered, MailState
from devstack.net import free_port
from tests.mail.mailserver import MailServer, mail_goes_to, serving_mail
from tests.mail.samples import queue, register_note

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[MailServer]:
    with serving_mail() as server:
        yield server


def deliver(*, after: timedelta = timedelta()) -> Delivered:
    return deliver_due(clock=lambda: clock.now() + after)


def test_a_due_mail_arrives_as_text_and_html(server: MailServer) -> None:
    row = queue(context={"name": "Ada"})
    assert deliver() == Delivered(sent=1)
    (mail,) = server.mails
    assert (mail["Subject"], mail["To"]) == ("A note for Ada", "ada@example.org")
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    row.refresh_from_db()
    assert row.state == MailState.SENT
    assert row.sent_at == row.ended_at is not None


def test_a_mail_says_that_no_person_wrote_it(server: MailServer) -> None:
    row = queue()
    deliver()
    (mail,) = server.mails
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<mail.{row.id}@afterresume.localhost>"


def test_a_sent_mail_is_not_sent_again(server: MailServer) -> None:
    queue()
    deliver()
    assert deliver(after=timedelta(days=1)) == Delivered()
    assert len(server.mails) == 1


def test_mails_of_one_round_go_out_in_the_order_they_were_queued(server: MailServer) -> None:
    for name in "abc":
        queue(to=f"{name}@example.org")
    assert deliver() == Delivered(sent=3)
    assert server.recipients == ["a@example.org", "b@example.org", "c@example.org"]


def test_what_is_not_due_waits(server: MailServer) -> None:
    queue(now=clock.now() + timedelta(minutes=1))
    assert deliver() == Delivered()
    assert deliver(after=timedelta(minutes=2)) == Delivered(sent=1)


@pytest.mark.failure("N35")
def test_without_a_mail_server_the_mail_waits_longer_each_time() -> None:
    row = queue()
    with mail_goes_to(free_port()):
        assert deliver() == Delivered(deferred=1)
        assert deliver() == Delivered()
        assert deliver(after=timedelta(seconds=61)) == Delivered(deferred=1)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (MailState.PENDING, 2)
    assert "ConnectionRefusedError" in row.last_error
    assert row.due_at > clock.now() + timedelta(seconds=170)
    with serving_mail() as server:
        assert deliver(after=timedelta(minutes=4)) == Delivered(sent=1)
        assert len(server.mails) == 1


@pytest.mark.failure("N35")
def test_a_round_ends_when_the_mail_server_is_away() -> None:
    for _ in range(3):
        queue()
    with mail_goes_to(free_port()):
        assert deliver() == Delivered(deferred=1)
    assert OutgoingMail.objects.filter(attempts=0).count() == 2


def test_the_pauses_double_up_to_six_hours() -> None:
    minutes = [pause_after(attempt).total_seconds() / 60 for attempt in range(1, 12)]
    assert minutes == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]


def test_a_mail_is_given_up_after_its_last_attempt(server: MailServer) -> None:
    server.answers["ada@example.org"] = "450 4.2.1 try later"
    row = queue()
    rounds = [deliver(after=timedelta(hours=7 * number)) for number in range(MAX_ATTEMPTS + 1)]
    assert rounds == [*[Delivered(deferred=1)] * (MAX_ATTEMPTS - 1), Delivered(failed=1), Delivered()]
    row.refresh_from_db()
    assert (row.state, row.attempts) == (MailState.FAILED, MAX_ATTEMPTS)


def test_a_refused_mail_fails_at_once_and_keeps_nobody_back(server: MailServer) -> None:
    server.answers["ada@example.org"] = "550 5.1.1 <ada@example.org> no such mailbox ada@example.org"
    row = queue()
    queue(to="bob@example.org")
    assert deliver() == Delivered(failed=1, sent=1)
    row.refresh_from_db()
    assert row.last_error == "SMTPRecipientsRefused: 550 5.1.1 <[address]> no such mailbox [address]"
    assert server.recipients == ["bob@example.org"]


def test_a_mail_that_cannot_be_made_keeps_nobody_back(server: MailServer) -> None:
    row = queue(context={"wrong": "ada@example.org"})
    queue(to="bob@example.org")
    assert deliver() == Delivered(deferred=1, sent=1)
    row.refresh_from_db()
    assert row.last_error == "Could not be made: UnresolvedVariable"


def test_links_are_made_when_the_mail_is_sent(server: MailServer) -> None:
    def enrich(context: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"name": f"{context['name']} with a fresh secret"}

    register_note(enrich=enrich)
    row = queue()
    deliver()
    assert server.mails[0]["Subject"] == "A note for Ada with a fresh secret"
    row.refresh_from_db()
    assert row.context == {"name": "Ada"}


def test_a_mail_that_is_no_longer_wanted_is_dropped(server: MailServer) -> None:
    def enrich(_context: Mapping[str, Any]) -> Mapping[str, Any]:
        raise Obsolete

    register_note(enrich=enrich)
    row = queue()
    assert deliver() == Delivered(dropped=1)
    row.refresh_from_db()
    assert (row.state, server.mails) == (MailState.DROPPED, [])


def test_a_mail_whose_sender_died_is_sent_when_its_lease_has_run_out(server: MailServer) -> None:
    row = queue()
    OutgoingMail.objects.update(state=MailState.SENDING, attempts=1, lease_until=clock.now() + LEASE)
    assert deliver() == Delivered()
    assert deliver(after=LEASE + timedelta(seconds=1)) == Delivered(sent=1)
    row.refresh_from_db()
    assert row.attempts == 2


def test_a_mail_that_kills_its_senders_is_given_up(server: MailServer) -> None:
    queue()
    OutgoingMail.objects.update(state=MailState.SENDING, attempts=MAX_ATTEMPTS, lease_until=clock.now())
    assert deliver(after=timedelta(seconds=1)) == Delivered(failed=1)
    assert server.mails == []


def test_a_sender_that_comes_back_too_late_changes_nothing(server: MailServer) -> None:
    def enrich(_context: Mapping[str, Any]) -> Mapping[str, Any]:
        OutgoingMail.objects.update(attempts=2)
        return {}

    register_note(enrich=enrich)
    row = queue()
    deliver()
    row.refresh_from_db()
    assert row.state == MailState.SENDING


def test_no_more_than_two_rounds_are_under_way(server: MailServer) -> None:
    for _ in range(MAX_SENDERS):
        queue()
    OutgoingMail.objects.update(state=MailState.SENDING, lease_until=clock.now() + LEASE)
    queue()
    assert deliver() == Delivered()


def test_a_round_ends_in_time(server: MailServer) -> None:
    queue()
    queue()
    times = iter([clock.now() + timedelta(seconds=20 * number) for number in range(9)])
    assert deliver_due(clock=lambda: next(times)) == Delivered(sent=1)


def test_a_person_who_went_while_the_mail_was_waiting_gets_none(server: MailServer) -> None:
    row = queue()
    OutgoingMail.objects.update(to="", context={})
    assert deliver() == Delivered(dropped=1)
    row.refresh_from_db()
    assert row.state == MailState.DROPPED


def test_old_mails_lose_address_and_content(server: MailServer) -> None:
    queue()
    deliver()
    assert services.erase_old(now=clock.now() + timedelta(days=29)) == 0
    assert services.erase_old(now=clock.now() + timedelta(days=31)) == 1
    row = OutgoingMail.objects.get()
    assert (row.to, row.context, row.state) == ("", {}, MailState.SENT)
