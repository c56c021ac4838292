"""The SMTP side of the mail stand-in."""

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from devstack.net import LOOPBACK
from devstack.standins.mail.mailbox import Mailbox


class Delivery:
    """aiosmtpd's handler: whatever arrives is kept before it is acknowledged."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        """Keep the mail and answer in SMTP's words."""
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        recipients = [str(address) for address in envelope.rcpt_tos]
        mail_id = self.mailbox.add(sender=envelope.mail_from or "", recipients=recipients, content=raw)
        return f"250 OK: kept as {mail_id}"


def make_smtp_server(mailbox: Mailbox, *, port: int) -> Controller:
    """Return the server; `start()` listens in a thread of its own, `stop()` ends it."""
    return Controller(Delivery(mailbox), hostname=LOOPBACK, port=port, enable_SMTPUTF8=True)
