"""The life of an export: a row, then its file, then a week, then neither file nor link."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import IO, Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from apps.artifacts import services as artifacts
from apps.artifacts.types import Purpose, StoredFile
from apps.common.states import WrongState
from apps.common.tenancy import TenantId
from apps.observability.services import record_audit
from apps.orchestration.models import DataExport
from apps.orchestration.personal_types import EXPORT_STATES, ExportNotFound, ExportState
from apps.orchestration.selectors import get_downloadable_export
from apps.tenants.types import Actor

_log = structlog.get_logger(__name__)

# An object younger than this may belong to a row that is just being written.
ORPHAN_AGE: Final = timedelta(hours=1)
_BATCH: Final = 200


def lock_export(*, tenant: TenantId, export_id: UUID) -> DataExport:
    """The export's row, locked. Raises ExportNotFound."""
    row = DataExport.objects.select_for_update().filter(tenant_id=tenant, pk=export_id).first()
    if row is None:
        raise ExportNotFound
    return row


def begin_file(*, tenant: TenantId, export_id: UUID) -> tuple[str, str]:
    """Writes down where this attempt will put its file: (the key of an earlier attempt or "", the new key).

    Each attempt has a key of its own, so that a late one never meets the file of its successor.
    """
    row = lock_export(tenant=tenant, export_id=export_id)
    before = row.key
    row.key = artifacts.make_key(tenant=tenant, purpose=Purpose.EXPORT, extension="zip")
    row.save(update_fields=["key"])
    return before, row.key


def note_file(*, tenant: TenantId, export_id: UUID, key: str, stored: StoredFile) -> bool:
    """Keeps size and digest of the file that was put. False when a later attempt has taken over."""
    rows = DataExport.objects.filter(tenant_id=tenant, pk=export_id, key=key, state=ExportState.PENDING)
    return rows.update(size_bytes=stored.size_bytes, sha256=stored.sha256) == 1


def finish_export(*, tenant: TenantId, export_id: UUID, now: datetime) -> DataExport:
    """Opens the link for EXPORT_TTL_DAYS. Raises WrongState when the export does not wait for that."""
    expires_at = now + timedelta(days=settings.EXPORT_TTL_DAYS)
    return _move(tenant, export_id, to=ExportState.READY, now=now, ready_at=now, expires_at=expires_at)


def fail_export(*, tenant: TenantId, export_id: UUID, now: datetime) -> None:
    """Ends an export whose job failed or was cancelled; what its file left behind is swept away."""
    if EXPORT_STATES.allows(ExportState(_get(tenant, export_id).state), ExportState.FAILED):
        _move(tenant, export_id, to=ExportState.FAILED, now=now)


def reopen_export(*, tenant: TenantId, export_id: UUID, now: datetime) -> None:
    """Lets a failed export wait for its job again. Raises WrongState while another one of the person is written."""
    try:
        with transaction.atomic():
            _move(tenant, export_id, to=ExportState.PENDING, now=now, purged_at=None)
    except IntegrityError as error:
        raise WrongState("Another export of your data is being written.") from error


def _get(tenant: TenantId, export_id: UUID) -> DataExport:
    row = DataExport.objects.filter(tenant_id=tenant, pk=export_id).first()
    if row is None:
        raise ExportNotFound
    return row


@transaction.atomic
def _move(tenant: TenantId, export_id: UUID, *, to: ExportState, now: datetime, **changes: Any) -> DataExport:
    """The one place where an export changes its state: compare-and-set, with its audit row."""
    rows = DataExport.objects.filter(tenant_id=tenant, pk=export_id, state__in=EXPORT_STATES.sources_of(to))
    if not rows.update(state=to, **changes):
        raise WrongState
    row = _get(tenant, export_id)
    record_audit(
        tenant=tenant,
        actor=None,
        action=f"export.{to.value}",
        target_kind="data_export",
        target_id=export_id,
        now=now,
        after={"state": to.value},
    )
    return row


def open_export(*, actor: Actor, export_id: UUID, now: datetime) -> tuple[DataExport, IO[bytes]]:
    """The person's own export with its file as a stream. Raises ExportNotFound, WrongState, FileNotStored."""
    export = get_downloadable_export(actor=actor, export_id=export_id, now=now)
    file = artifacts.open_file(tenant=actor.tenant, key=export.key)
    record_audit(
        tenant=actor.tenant,
        actor=actor.user_id,
        action="export.downloaded",
        target_kind="data_export",
        target_id=export_id,
        now=now,
    )
    return export, file


def expire_exports(*, now: datetime) -> int:
    """Closes every link whose time is over. Over all tenants: for the duty alone."""
    due = DataExport.objects.filter(state=ExportState.READY, expires_at__lte=now).order_by("expires_at")[:_BATCH]
    return sum(expire_export(export=row, now=now) for row in list(due))


def expire_export(*, export: DataExport, now: datetime) -> bool:
    """Closes the link of one export. False when it is not open."""
    try:
        _move(TenantId(export.tenant_id), export.pk, to=ExportState.EXPIRED, now=now)
    except WrongState:
        return False
    return True


def purge_files(*, now: datetime) -> int:
    """Removes the files of exports that have expired or failed, and says of how many. Over all tenants: for the duty.

    The row says that nothing lies there only after the storage has said so; until then the next round tries again.
    """
    ended = DataExport.objects.filter(state__in=[ExportState.EXPIRED, ExportState.FAILED], purged_at=None)
    return purge_rows(rows=list(ended.exclude(key="").order_by("id")[:_BATCH]), now=now)


def purge_rows(*, rows: Iterable[DataExport], now: datetime) -> int:
    """Removes the files of some exports; a storage that is away costs the round, not the next one."""
    purged = 0
    for row in rows:
        try:
            artifacts.remove_file(tenant=TenantId(row.tenant_id), key=row.key)
        except Exception:  # noqa: BLE001 - whatever the storage's client raises, the row stays due
            _log.warning("export.purge_failed", export_id=str(row.pk), exc_info=True)
            continue
        purged += DataExport.objects.filter(pk=row.pk, key=row.key).update(purged_at=now)
    return purged


def sweep_orphans(*, now: datetime) -> int:
    """Removes files of exports that no row claims (any more), and says how many. For the daily duty alone.

    A crash between an attempt's two commits leaves one, and so does a backup of the database that is put back.
    """
    return sum(_sweep_tenant(tenant, now=now) for tenant in artifacts.list_tenants_with_files())


def _sweep_tenant(tenant: TenantId, *, now: datetime) -> int:
    found = artifacts.list_files(tenant=tenant, purpose=Purpose.EXPORT)
    old = [key for key, stored_at in found if stored_at < now - ORPHAN_AGE]
    rows = DataExport.objects.filter(tenant_id=tenant, key__in=old, purged_at=None)
    orphans = sorted(set(old) - set(rows.values_list("key", flat=True)))
    for key in orphans:
        artifacts.remove_file(tenant=tenant, key=key)
    if orphans:
        _log.warning("export.orphans_removed", tenant=str(tenant), files=len(orphans))
    return len(orphans)
