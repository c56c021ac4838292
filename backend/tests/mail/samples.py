"""A kind of mail that only tests send."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from apps.common import clock
from apps.mail import registry, services
from apps.mail.types import JSON

KIND: Final = "test_note"


def queue(
    *,
    to: str = "ada@example.org",
    user_id: UUID | None = None,
    context: Mapping[str, JSON] | None = None,
    key: str = "",
    kind: str = KIND,
) -> None:
    """Queues a mail of the test kind."""
    services.queue_mail(kind=kind, user_id=user_id, to=to, context=context or {"name": "Ada"}, now=clock.now(), key=key)


def register_note(*, enrich: registry.Enrich | None = None) -> None:
    """Makes the test kind known."""
    registry.register(kind=KIND, subject="A note for {{ name }}", template="mail_tests/note", enrich=enrich)
