"""Writing entries. Every save keeps how the entry then read; deleting hides, so that it can be undone."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.common.clock import today_in
from apps.common.errors import Conflict
from apps.observability.services import record_audit, record_event
from apps.tenants.types import Actor
from apps.worklog import selectors
from apps.worklog.models import Employer, Project, Tag, WorkLog, WorkLogTag, WorkLogVersion
from apps.worklog.services.drafts import check_draft
from apps.worklog.services.names import ensure_names
from apps.worklog.types import PLAIN_FIELDS, EntryChanges, EntryDraft


class VersionConflict(Conflict):
    code = "version_conflict"
    message = "This entry was changed in the meantime. Please look at it again before you save."


def create_entry(*, actor: Actor, draft: EntryDraft, now: datetime) -> WorkLog:
    """Saves a new entry of the actor; names it uses are made when new. Raises Invalid."""
    checked = check_draft(draft=draft, today=today_in(actor.time_zone, now=now))
    entry = WorkLog(tenant_id=actor.tenant, author_id=actor.user_id, version=0, created_at=now)
    with transaction.atomic():
        _save(entry, actor=actor, checked=checked, now=now)
        return selectors.get_entry(actor=actor, entry_id=entry.id)


def edit_entry(
    *, actor: Actor, entry_id: UUID, changes: EntryChanges, expected_version: int | None, now: datetime
) -> WorkLog:
    """Changes the named fields and keeps the version before; an edit that changes nothing makes no version.

    Raises NotFound, Forbidden (not the author), Invalid, and VersionConflict when `expected_version` is given and the
    entry has another by now.
    """
    with transaction.atomic():
        entry = selectors.get_entry(actor=actor, entry_id=entry_id, is_locked=True)
        selectors.check_can_change_entry(actor=actor, entry=entry)
        if expected_version is not None and expected_version != entry.version:
            raise VersionConflict
        current = selectors.draft_of(entry)
        checked = check_draft(draft=replace(current, **changes), today=entry.occurred_on)
        _save(entry, actor=actor, checked=checked, now=now, current=current)
        return selectors.get_entry(actor=actor, entry_id=entry_id)


def delete_entry(*, actor: Actor, entry_id: UUID, now: datetime) -> None:
    """Hides the entry until it is restored or purged. Raises NotFound, Forbidden."""
    with transaction.atomic():
        entry = selectors.get_entry(actor=actor, entry_id=entry_id, is_locked=True)
        selectors.check_can_change_entry(actor=actor, entry=entry)
        _mark(entry, actor=actor, deleted_at=now, name="worklog.deleted", message="The entry was deleted.", now=now)


def restore_entry(*, actor: Actor, entry_id: UUID, now: datetime) -> WorkLog:
    """Undoes a deletion; an entry that is not deleted stays as it is. Raises NotFound, Forbidden."""
    with transaction.atomic():
        entry = selectors.get_entry(actor=actor, entry_id=entry_id, is_locked=True, is_deleted_included=True)
        selectors.check_can_change_entry(actor=actor, entry=entry)
        if entry.deleted_at is not None:
            _mark(entry, actor=actor, deleted_at=None, name="worklog.restored", message="The entry came back.", now=now)
        return entry


def _mark(entry: WorkLog, *, actor: Actor, deleted_at: datetime | None, name: str, message: str, now: datetime) -> None:
    entry.deleted_at = deleted_at
    entry.save(update_fields=["deleted_at"])
    record_event(tenant=actor.tenant, subject_kind="worklog", subject_id=entry.id, name=name, message=message, now=now)
    record_audit(
        tenant=actor.tenant, actor=actor.user_id, action=name, target_kind="worklog", target_id=entry.id, now=now
    )


def _save(
    entry: WorkLog, *, actor: Actor, checked: EntryDraft, now: datetime, current: EntryDraft | None = None
) -> None:
    """Writes the checked content as the entry's next version, unless it equals `current`."""
    employers = ensure_names(Employer, tenant=actor.tenant, names=filter(None, [checked.employer]))
    projects = ensure_names(Project, tenant=actor.tenant, names=filter(None, [checked.project]))
    tags = ensure_names(Tag, tenant=actor.tenant, names=checked.tags)
    entry.employer = employers[0] if employers else None
    entry.project = projects[0] if projects else None
    # From here on the names are spelt as their first user spelt them.
    spelt = replace(
        checked,
        employer=entry.employer.name if entry.employer else "",
        project=entry.project.name if entry.project else "",
        tags=tuple(tag.name for tag in tags),
    )
    if spelt == current:
        return
    for name in PLAIN_FIELDS:
        setattr(entry, name, getattr(spelt, name))
    entry.version += 1
    entry.updated_at = now
    entry.save(force_insert=current is None)
    if current is None or spelt.tags != current.tags:
        _set_tags(entry, tags)
    WorkLogVersion.objects.create(
        tenant_id=entry.tenant_id,
        worklog=entry,
        version=entry.version,
        editor_id=actor.user_id,
        edited_at=now,
        snapshot=spelt.to_snapshot(occurred_on=entry.occurred_on),
    )


def _set_tags(entry: WorkLog, tags: list[Tag]) -> None:
    links = WorkLogTag.objects.filter(worklog=entry)
    links.exclude(tag__in=tags).delete()
    kept = set(links.values_list("tag_id", flat=True))
    WorkLogTag.objects.bulk_create(
        WorkLogTag(tenant_id=entry.tenant_id, worklog=entry, tag=tag) for tag in tags if tag.id not in kept
    )
