"""The outbox in Django admin: seen by staff, changed by nobody, sent again through the service."""

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.api.authentication import SESSION_AUTHENTICATED_AT, SESSION_SECOND_FACTOR
from apps.common import clock
from apps.common.ids import uuid7
from apps.mail.models import OutgoingMail
from apps.mail.selectors import mask_address
from apps.mail.services import retry_mail
from apps.mail.types import MailState, UnknownMail
from apps.observability.models import AuditEvent
from tests.factories.mfa import make_protected
from tests.mail.samples import queue

pytestmark = pytest.mark.django_db

OUTBOX = "/admin/mail/outgoingmail/"


@pytest.fixture
def staff() -> Client:
    client = Client()
    actor, _ = make_protected(is_staff=True)
    client.force_login(User.objects.get(id=actor.user_id))
    session = client.session
    session.update({SESSION_AUTHENTICATED_AT: clock.now().isoformat(), SESSION_SECOND_FACTOR: True})
    session.save()
    return client


def fail(mail: OutgoingMail) -> OutgoingMail:
    OutgoingMail.objects.filter(id=mail.id).update(state=MailState.SENDING, lease_until=clock.now(), attempts=8)
    OutgoingMail.objects.filter(id=mail.id).update(state=MailState.FAILED, ended_at=clock.now())
    return mail


def press_retry(client: Client, mail: OutgoingMail) -> str:
    body = {"action": "retry", "_selected_action": [str(mail.id)]}
    return client.post(OUTBOX, body, follow=True).content.decode()


def test_staff_see_mails_but_not_whose_and_not_what(staff: Client) -> None:
    mail = queue(to="ada@example.org", context={"name": "Ada Lovelace"})
    pages = [staff.get(address).content.decode() for address in (OUTBOX, f"{OUTBOX}{mail.id}/change/")]
    for page in pages:
        assert "a***@example.org" in page
        assert "ada@example.org" not in page
        assert "Lovelace" not in page


def test_nothing_can_be_added_changed_or_deleted(staff: Client) -> None:
    mail = queue()
    assert staff.get(f"{OUTBOX}add/").status_code == 403
    assert staff.get(f"{OUTBOX}{mail.id}/delete/").status_code == 403
    assert staff.post(f"{OUTBOX}{mail.id}/change/", {"to": "eve@example.org"}).status_code == 403


def test_a_failed_mail_is_queued_again_and_written_down(staff: Client) -> None:
    mail = fail(queue())
    assert "1 queued again." in press_retry(staff, mail)
    mail.refresh_from_db()
    assert (mail.state, mail.attempts, mail.ended_at) == (MailState.PENDING, 0, None)
    audit = AuditEvent.objects.get(action="mail.retried")
    assert (audit.target_id, audit.actor_id) == (str(mail.id), User.objects.get().id)


def test_what_has_not_failed_stays_as_it_is(staff: Client) -> None:
    assert "1 had not failed or are forgotten." in press_retry(staff, queue())
    assert not AuditEvent.objects.filter(action="mail.retried").exists()


def test_a_forgotten_mail_cannot_be_sent_again(staff: Client) -> None:
    mail = fail(queue())
    OutgoingMail.objects.update(to="", context={})
    assert "(forgotten)" in press_retry(staff, mail)
    mail.refresh_from_db()
    assert mail.state == MailState.FAILED


def test_a_mail_that_is_not_there_cannot_be_retried() -> None:
    with pytest.raises(UnknownMail):
        retry_mail(actor=uuid7(), mail_id=uuid7(), now=clock.now())


@pytest.mark.parametrize(
    ("address", "shown"), [("ada@example.org", "a***@example.org"), ("", ""), ("odd", ""), ("@x.org", "***@x.org")]
)
def test_an_address_is_shown_in_part(address: str, shown: str) -> None:
    assert mask_address(address) == shown
