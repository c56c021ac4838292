"""A mail server on a loopback port that does as the test says."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from django.test import override_settings

from devstack.net import LOOPBACK, free_port


class MailServer:
    """aiosmtpd's handler: keeps what it accepts, and answers to a recipient what `answers` says."""

    def __init__(self, port: int) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: dict[str, str] = {}
        self.port = port

    @property
    def recipients(self) -> list[str]:
        return [str(mail["To"]) for mail in self.mails]

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@contextmanager
def serving_mail() -> Iterator[MailServer]:
    """A server for the length of the block, to which the product's mail goes."""
    server = MailServer(free_port())
    controller = Controller(server, hostname=LOOPBACK, port=server.port)
    controller.start()
    try:
        with mail_goes_to(server.port):
            yield server
    finally:
        controller.stop()


def mail_goes_to(port: int) -> override_settings:
    """The product's mail settings for a server on this port."""
    return override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST=LOOPBACK,
        EMAIL_PORT=port,
        EMAIL_TIMEOUT=5,
    )
