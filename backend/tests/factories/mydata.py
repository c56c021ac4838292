"""Exports and erasures for tests."""

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from apps.artifacts.services import open_file
from apps.billing.selectors import get_balance
from apps.common import clock
from apps.common.tenancy import TenantId
from apps.orchestration.erasure.runner import erase_due_accounts
from apps.orchestration.flows.export import start_export
from apps.orchestration.models import AccountDeletion, DataExport, Job
from apps.orchestration.services.deletions import schedule_deletion
from apps.tenants.types import Actor
from tests.factories.orchestration import work

Members = Mapping[str, bytes]


def begin_export(actor: Actor, *, now: datetime | None = None) -> Job:
    """An export that has been asked for and waits for a worker."""
    return Job.objects.get(pk=start_export(actor=actor, now=now or clock.now()))


def export_of(job: Job) -> DataExport:
    return DataExport.objects.get(job=job)


def make_export(actor: Actor) -> DataExport:
    """An export that is ready."""
    return export_of(work(begin_export(actor)))


def read_archive(data: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def read_export(export: DataExport) -> Members:
    """What lies in the file of an export."""
    with open_file(tenant=TenantId(export.tenant_id), key=export.key) as file:
        return read_archive(file.read())


def load(members: Members, name: str) -> Any:
    return json.loads(members[name])


def schedule(actor: Actor, *, now: datetime | None = None, **wish: Any) -> AccountDeletion:
    """A deletion that the actor asks for; what is left in the reserve is given up."""
    fields: dict[str, Any] = {"confirm": actor.username, "reason": "", "accepts_balance_loss": True}
    schedule_deletion(actor=actor, now=now or clock.now(), **(fields | wish))
    return AccountDeletion.objects.get(user_id=actor.user_id, state="scheduled")


def erase_now(deletion: AccountDeletion, *, after: timedelta = timedelta()) -> AccountDeletion:
    """One run of the duty, so long after the day of the erasure has come."""
    moment = deletion.due_at + after
    erase_due_accounts(clock=lambda: moment)
    deletion.refresh_from_db()
    return deletion


def balance_of(actor: Actor) -> int:
    return get_balance(tenant=actor.tenant).balance_micros
