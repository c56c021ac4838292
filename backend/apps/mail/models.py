"""Mails on their way out: one row each, written in the transaction of what they tell about."""

import pgtrigger
from django.db import models
from django.db.models import Q

from apps.common.ids import uuid7
from apps.mail.types import MAIL_STATES, MailState


class OutgoingMail(models.Model):
    """One mail to one person. The row is the truth; the broker only carries hints.

    Lies below the accounts, so the person is a plain identifier. `to` and `context` are emptied when the mail is old
    or the person is gone. The context holds no secret: links that open something are made when the mail is sent.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=60)
    user_id = models.UUIDField(null=True)
    to = models.CharField(max_length=320, blank=True)
    context = models.JSONField(default=dict)
    # Null, not empty, without a key: the unique key must not see those rows.
    key = models.CharField(max_length=200, null=True, blank=True, unique=True)
    state = models.CharField(max_length=16, choices=MailState.choices, default=MailState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    # Until when the worker that took the mail is believed to live.
    lease_until = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=MailState.values), name="mail_outgoing_state"),
            models.CheckConstraint(
                condition=~Q(state=MailState.SENDING) | Q(lease_until__isnull=False), name="mail_outgoing_lease"
            ),
            models.CheckConstraint(
                condition=Q(state=MailState.SENT, sent_at__isnull=False)
                | (~Q(state=MailState.SENT) & Q(sent_at__isnull=True)),
                name="mail_outgoing_sent_at",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state=MailState.PENDING), name="mail_outgoing_due"),
            models.Index(fields=["lease_until"], condition=Q(state=MailState.SENDING), name="mail_outgoing_leases"),
            models.Index(fields=["user_id"], name="mail_outgoing_user"),
            models.Index(fields=["ended_at"], condition=~Q(to=""), name="mail_outgoing_to_erase"),
        ]
        triggers = [
            pgtrigger.FSM(
                name="transitions",
                field="state",
                transitions=sorted(
                    (old.value, new.value) for old, targets in MAIL_STATES.moves.items() for new in targets
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.state})"
