"""The one kind of mail that belongs to no app: a check that mail arrives at all."""

from typing import Final

from apps.mail.registry import register

CHECK: Final = "mail_check"


def register_kinds() -> None:
    """Called once at start."""
    register(kind=CHECK, subject="Mail from AfterResume arrives", sample={})
