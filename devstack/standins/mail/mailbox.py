"""Mails in a folder: one file each, as it came over the wire, with its envelope beside it."""

import json
import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

MAX_MAILS = 500


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail with its envelope, its bodies taken out of the MIME tree."""

    id: str
    received_at: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    attachments: tuple[str, ...]


class Mailbox:
    """The folder. Nothing is kept in memory, so a restart loses nothing; the oldest mails make room for new ones."""

    def __init__(self, folder: Path, *, max_mails: int = MAX_MAILS) -> None:
        self.folder = folder
        self.max_mails = max_mails
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def add(self, *, sender: str, recipients: Iterable[str], content: bytes) -> str:
        """Keep a mail and return its id; it is on disk whole, or not at all."""
        now = datetime.now(UTC)
        # Ids sort by time of arrival.
        mail_id = f"{now:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"
        envelope = {"received_at": now.isoformat(), "sender": sender, "recipients": list(recipients)}
        with self._lock:
            self._envelope_path(mail_id).write_text(json.dumps(envelope))
            fresh = self.folder / f"{mail_id}.new"
            fresh.write_bytes(content)
            fresh.rename(self._path(mail_id))
            for old in self.ids()[self.max_mails :]:
                self._remove(old)
        return mail_id

    def ids(self) -> list[str]:
        """Return the ids, newest first."""
        return sorted((path.stem for path in self.folder.glob("*.eml")), reverse=True)

    def find(self, mail_id: str) -> Mail | None:
        """Return a mail, None for an unknown id."""
        raw = self.find_raw(mail_id)
        if raw is None:
            return None
        message = message_from_bytes(raw, policy=policy.default)
        envelope = json.loads(self._envelope_path(mail_id).read_text())
        return Mail(
            id=mail_id,
            received_at=envelope["received_at"],
            sender=envelope["sender"],
            recipients=tuple(envelope["recipients"]),
            subject=str(message.get("Subject", "")),
            headers=tuple((name, str(value)) for name, value in message.items()),
            text=_body(message, "plain"),
            html=_body(message, "html"),
            attachments=tuple(part.get_filename() or "unnamed" for part in message.iter_attachments()),
        )

    def find_raw(self, mail_id: str) -> bytes | None:
        """Return a mail as it came, None for an unknown id."""
        # Only what we have given out: an id from outside never becomes a path.
        return self._path(mail_id).read_bytes() if mail_id in self.ids() else None

    def list_mails(self) -> list[Mail]:
        """Return all mails, newest first."""
        return [mail for mail in map(self.find, self.ids()) if mail is not None]

    def delete(self, mail_id: str) -> bool:
        """Remove a mail; return whether it was there."""
        with self._lock:
            if mail_id not in self.ids():
                return False
            self._remove(mail_id)
            return True

    def clear(self) -> None:
        """Remove all mails."""
        with self._lock:
            for mail_id in self.ids():
                self._remove(mail_id)

    def _remove(self, mail_id: str) -> None:
        self._path(mail_id).unlink(missing_ok=True)
        self._envelope_path(mail_id).unlink(missing_ok=True)

    def _path(self, mail_id: str) -> Path:
        return self.folder / f"{mail_id}.eml"

    def _envelope_path(self, mail_id: str) -> Path:
        return self.folder / f"{mail_id}.json"


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
