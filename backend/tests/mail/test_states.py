"""The states of a mail: the table and the database agree."""

import itertools

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from apps.common import clock
from apps.mail.models import OutgoingMail
from apps.mail.types import MAIL_STATES, MailState
from tests.mail.samples import queue

pytestmark = pytest.mark.django_db

PATHS = {
    MailState.PENDING: [],
    MailState.SENDING: [MailState.SENDING],
    MailState.SENT: [MailState.SENDING, MailState.SENT],
    MailState.FAILED: [MailState.SENDING, MailState.FAILED],
    MailState.DROPPED: [MailState.DROPPED],
}


def move(state: MailState) -> int:
    sent_at = clock.now() if state == MailState.SENT else None
    return OutgoingMail.objects.update(state=state, sent_at=sent_at, lease_until=clock.now())


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(MailState, 2)))
def test_the_database_refuses_what_the_table_does_not_name(before: MailState, after: MailState) -> None:
    queue()
    for state in PATHS[before]:
        move(state)
    if MAIL_STATES.allows(before, after):
        assert move(after) == 1
        return
    with pytest.raises(ProgrammingError, match="Invalid transition"), transaction.atomic():
        move(after)


@pytest.mark.parametrize(
    "changes",
    [{"state": "unheard"}, {"state": "sending"}, {"sent_at": clock.now()}],
    ids=["unknown state", "sending without a lease", "pending, but sent"],
)
def test_the_database_refuses_a_row_that_cannot_be(changes: dict[str, object]) -> None:
    queue()
    with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
        OutgoingMail.objects.update(**changes)
