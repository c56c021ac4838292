"""Words of this app that others may use."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import models


class Origin(models.TextChoices):
    """The edge that a change came in by."""

    API = "api", "API"
    ADMIN = "admin", "Django admin"
    TASK = "task", "Background task"
    COMMAND = "command", "Command"


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """What the audit is narrowed to; what is empty narrows nothing. `since` is inclusive, `before` is not."""

    action: str = ""
    actor_id: UUID | None = None
    target_kind: str = ""
    target_id: str = ""
    origin: Origin | None = None
    since: datetime | None = None
    before: datetime | None = None
    words: str = ""
