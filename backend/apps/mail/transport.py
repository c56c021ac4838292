"""The way out: Django's mail backend, be it SMTP, a provider's API (anymail) or the console."""

import re
import smtplib
from contextlib import suppress
from email.utils import parseaddr
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from anymail.exceptions import AnymailAPIError, AnymailInvalidAddress, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import BadHeaderError, EmailMultiAlternatives, get_connection

from apps.common.db import forbid_transaction
from apps.mail.rendering import RenderedMail

_ADDRESS: Final = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
_MAX_ERROR: Final = 300
# What a provider answers to a mail that it will never take. 401 and 403 are our own configuration, 429 is too fast.
_REFUSING_STATUS: Final = frozenset({400, 406, 413, 422})


class NotSent(Exception):
    """The mail did not go out, and may at another time. The text has no address of a person."""


class Refused(NotSent):
    """The other side will never take this mail."""


class Unreachable(NotSent):
    """The other side is away or does not let us in: the next mail would meet the same."""


class Transport:
    """One connection for the mails of one round."""

    def __init__(self) -> None:
        self._connection: Any = get_connection()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, *, mail_id: UUID, to: str, mail: RenderedMail) -> None:
        """Hands one mail over. Raises Refused, Unreachable and NotSent."""
        forbid_transaction()
        message = build_message(mail_id=mail_id, to=to, mail=mail)
        message.connection = self._connection
        try:
            self._connection.open()
        except Exception as error:
            self.close()
            raise Unreachable(describe_error(error, to=to)) from error
        try:
            message.send()
        except Exception as error:
            # What the connection is like after a failure is anybody's guess.
            self.close()
            raise classify_error(error)(describe_error(error, to=to)) from error

    def close(self) -> None:
        """Ends the connection; the next mail opens another."""
        with suppress(OSError, smtplib.SMTPException):
            self._connection.close()


def make_message_id(*, mail_id: UUID) -> str:
    """The same for every attempt of one mail, so that a copy can be recognised."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<mail.{mail_id}@{domain}>"


def build_message(*, mail_id: UUID, to: str, mail: RenderedMail) -> EmailMultiAlternatives:
    """The mail as it goes over the wire."""
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[to],
        headers={"Message-ID": make_message_id(mail_id=mail_id), "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(mail.html, "text/html")
    return message


def classify_error(error: Exception) -> type[NotSent]:
    """Whether another attempt makes sense."""
    if isinstance(error, AnymailRecipientsRefused | AnymailInvalidAddress | BadHeaderError):
        return Refused
    if isinstance(error, AnymailAPIError):
        return _classify_status(error.status_code)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return Refused if codes and min(codes) >= 500 else NotSent
    # Being let in is a matter of our own configuration, whatever the number.
    if isinstance(error, smtplib.SMTPAuthenticationError | smtplib.SMTPConnectError | smtplib.SMTPHeloError):
        return Unreachable
    if isinstance(error, smtplib.SMTPResponseException):
        return Refused if error.smtp_code >= 500 else NotSent
    return Unreachable if isinstance(error, OSError) else NotSent


def _classify_status(status: int | None) -> type[NotSent]:
    if status is None or status in {401, 403}:
        return Unreachable
    return Refused if status in _REFUSING_STATUS else NotSent


def describe_error(error: Exception, *, to: str) -> str:
    """The error for staff: its kind and the other side's words, without anybody's address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        words = ", ".join(f"{code} {_decode(text)}" for code, text in error.recipients.values())
    elif isinstance(error, smtplib.SMTPResponseException):
        words = f"{error.smtp_code} {_decode(error.smtp_error)}"
    elif isinstance(error, AnymailAPIError):
        words = f"status {error.status_code}"
    else:
        words = str(error)
    hidden = _ADDRESS.sub("[address]", words.replace(to, "[address]") if to else words)
    return f"{type(error).__name__}: {' '.join(hidden.split())}"[:_MAX_ERROR]


def _decode(text: bytes | str) -> str:
    return text.decode(errors="replace") if isinstance(text, bytes) else text
