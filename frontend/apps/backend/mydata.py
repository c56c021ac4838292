"""The person's own data: exports, the deletion of the account, certificates of erasures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from apps.backend.jobs import Job
from apps.backend.pages import Page, read, read_page
from apps.backend.transport import Call, Caller, Download

BALANCE_LOSS: Final = "balance_loss"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataExport:
    """`state` is pending, ready, expired or failed; size and sum are None until the file is written."""

    id: UUID
    job_id: UUID
    state: str
    size_bytes: int | None
    sha256: str | None
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    what: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    what: str
    why: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """What stands in the way. `balance_loss` goes away when it is accepted."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionTerms:
    """What the deletion of the account means; `scheduled_for` is None unless it is scheduled."""

    scheduled_for: datetime | None
    grace_days: int
    erased: tuple[Erased, ...]
    kept: tuple[Kept, ...]
    blockers: tuple[Blocker, ...]

    @property
    def balance_loss(self) -> Blocker | None:
        return next((blocker for blocker in self.blockers if blocker.code == BALANCE_LOSS), None)

    @property
    def hard_blockers(self) -> tuple[Blocker, ...]:
        """Those that no consent takes away."""
        return tuple(blocker for blocker in self.blockers if blocker.code != BALANCE_LOSS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedCount:
    what: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptUntil:
    what: str
    why: str
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateContent:
    """What the certificate's sum covers."""

    format: str
    id: UUID
    scope: str
    requested_at: datetime
    erased_at: datetime
    erased: tuple[ErasedCount, ...]
    kept: tuple[KeptUntil, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    content: CertificateContent
    sha256: str


@dataclass(frozen=True, slots=True)
class MyDataApi:
    caller: Caller

    def start_export(self, *, idempotency_key: str) -> Job:
        """The running one when there is one. Raises ReauthenticationRequired, RateLimited, Conflict."""
        call = Call(method="POST", path="/api/me/export/", idempotency_key=idempotency_key)
        return read(Job, self.caller.send(call))

    def exports(self, *, page_size: int = 25) -> Page[DataExport]:
        """Newest first."""
        call = Call(method="GET", path="/api/me/exports/", query={"page_size": page_size})
        return read_page(DataExport, self.caller.send(call))

    def download(self, export_id: UUID) -> Download:
        """Raises NotFound, Conflict `wrong_state` when it is not ready."""
        return self.caller.download(Call(method="GET", path=f"/api/me/exports/{export_id}/download/"))

    def deletion(self) -> DeletionTerms:
        return read(DeletionTerms, self.caller.send(Call(method="GET", path="/api/me/delete/")))

    def schedule_deletion(
        self, *, confirm: str, reason: str, accepts_balance_loss: bool, idempotency_key: str
    ) -> DeletionTerms:
        """Raises Invalid on `confirm`, Conflict `last_owner`, `balance_loss`, `staff_account`."""
        payload = {"confirm": confirm, "reason": reason, "accept_balance_loss": accepts_balance_loss}
        call = Call(method="POST", path="/api/me/delete/", payload=payload, idempotency_key=idempotency_key)
        return read(DeletionTerms, self.caller.send(call))

    def undo_deletion(self, *, idempotency_key: str) -> None:
        """Raises NotFound when none is scheduled."""
        self.caller.send(Call(method="DELETE", path="/api/me/delete/", idempotency_key=idempotency_key))

    def certificate(self, token: str) -> Certificate:
        """For whoever has the link; needs no sign-in. Raises NotFound."""
        return read(Certificate, self.raw_certificate(token))

    def raw_certificate(self, token: str) -> Mapping[str, Any]:
        """The certificate as the backend says it, whose content gives its sum."""
        found: Mapping[str, Any] = self.caller.send(
            Call(method="GET", path=f"/api/erasure-certificates/{quote(token, safe='')}/")
        )
        return found
