"""Words of "my data": exports of everything a person has here, deletions of accounts, and their certificates."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import models

from apps.common.errors import Conflict, NotFound
from apps.common.states import StateMachine


class ExportState(models.TextChoices):
    PENDING = "pending", "Being written"
    READY = "ready", "Ready"
    EXPIRED = "expired", "Expired"
    FAILED = "failed", "Failed"


EXPORT_STATES: Final = StateMachine(
    name="data_export",
    initial=ExportState.PENDING,
    moves={
        ExportState.PENDING: frozenset({ExportState.READY, ExportState.FAILED}),
        ExportState.READY: frozenset({ExportState.EXPIRED}),
        # A retry of its job.
        ExportState.FAILED: frozenset({ExportState.PENDING}),
    },
)


class DeletionState(models.TextChoices):
    SCHEDULED = "scheduled", "Scheduled"
    UNDONE = "undone", "Undone"
    ERASING = "erasing", "Being erased"
    ERASED = "erased", "Erased"


DELETION_STATES: Final = StateMachine(
    name="account_deletion",
    initial=DeletionState.SCHEDULED,
    moves={
        DeletionState.SCHEDULED: frozenset({DeletionState.UNDONE, DeletionState.ERASING}),
        DeletionState.ERASING: frozenset({DeletionState.ERASED}),
    },
)

OPEN_DELETIONS: Final = (DeletionState.SCHEDULED, DeletionState.ERASING)


class DeletionScope(models.TextChoices):
    """How much goes: the last person of a tenant takes everything with them."""

    MEMBER = "member", "One person of several"
    TENANT = "tenant", "The whole account"


@dataclass(frozen=True, slots=True)
class Erased:
    """One thing that an erasure removes."""

    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing that stays after an erasure, why, and until when (None: for as long as the service exists)."""

    what: str
    why: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Blocker:
    """A reason for which a deletion is not accepted as it stands."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class DeletionPreview:
    """What the deletion of an account means, before and after it is asked for."""

    scheduled_for: datetime | None
    grace_days: int
    erased: tuple[Erased, ...]
    kept: tuple[Kept, ...]
    blockers: tuple[Blocker, ...]


class ExportNotFound(NotFound):
    message = "There is no such export."


class DeletionNotScheduled(NotFound):
    message = "No deletion of this account is scheduled."


class CertificateNotFound(NotFound):
    message = "There is no such certificate."


class DeletionScheduled(Conflict):
    code = "deletion_scheduled"
    message = "This account is to be deleted, so nothing new can be started. Undo the deletion first."


class LastOwner(Conflict):
    code = "last_owner"
    message = "You are the only owner and others remain. Make one of them the owner first."


class BalanceLoss(Conflict):
    code = "balance_loss"
    message = "Your reserve still holds money, which is lost with the account. Confirm that you accept this."


class StaffAccount(Conflict):
    code = "staff_account"
    message = "The account of a member of staff is not deleted this way. Ask another administrator to close it first."
