"""A kind of mail that only tests send."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from apps.common import clock
from apps.mail import registry, services
from apps.mail.kinds import CHECK
from apps.mail.models import OutgoingMail
from apps.mail.types import JSON

KIND: Final = "test_note"


def queue(
    *,
    to: str = "ada@example.org",
    user_id: UUID | None = None,
    context: Mapping[str, JSON] | None = None,
    key: str = "",
    kind: str = KIND,
    now: datetime | None = None,
) -> OutgoingMail:
    """Queues a mail of the test kind and gives its row."""
    services.queue_mail(
        kind=kind, user_id=user_id, to=to, context=context or {"name": "Ada"}, now=now or clock.now(), key=key
    )
    return OutgoingMail.objects.latest("id")


def register_note(*, enrich: registry.Enrich | None = None, template: str = f"mail/{CHECK}") -> None:
    """Makes the test kind known."""
    registry.register(kind=KIND, subject="A note for {{ name }}", template=template, enrich=enrich)
