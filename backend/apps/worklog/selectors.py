"""Reading the worklog. An entry is seen by its author and, when it says so, by everyone in the tenant."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet

from apps.common.errors import Forbidden, Invalid, NotFound
from apps.common.tenancy import TenantId
from apps.tenants.types import Actor
from apps.worklog import types
from apps.worklog.models import MODEL_OF_KIND, NamedThing, Tag, WorkLog, WorkLogVersion
from apps.worklog.types import (
    PLAIN_FIELDS,
    EntryDefaults,
    EntryDraft,
    FrozenEntry,
    NameKind,
    Ordering,
    Visibility,
    format_figure,
)


class EntryNotFound(NotFound):
    message = "There is no such entry."


class NotTheAuthor(Forbidden):
    message = "Only its author can do this with an entry."


def _seen_by(actor: Actor) -> Q:
    return Q(tenant_id=actor.tenant) & (Q(author_id=actor.user_id) | Q(visibility=Visibility.TEAM, deleted_at=None))


def _own(actor: Actor) -> QuerySet[WorkLog]:
    return WorkLog.objects.filter(tenant_id=actor.tenant, author_id=actor.user_id, deleted_at=None)


def _load(entries: QuerySet[WorkLog]) -> QuerySet[WorkLog]:
    """With everything that an entry is shown with, in two queries however many there are."""
    tags = Prefetch("tags", queryset=Tag.objects.order_by("name_key"))
    return entries.select_related("employer", "project", "author").prefetch_related(tags)


def list_entries(*, actor: Actor, ordering: Ordering = Ordering.NEWEST_DAY) -> QuerySet[WorkLog]:
    """What the actor may see and nobody deleted."""
    return _load(WorkLog.objects.filter(_seen_by(actor), deleted_at=None)).order_by(*ordering.keys)


def get_entry(*, actor: Actor, entry_id: UUID, is_locked: bool = False, is_deleted_included: bool = False) -> WorkLog:
    """One entry that the actor may see. Raises EntryNotFound. Deleted ones are found, on request, by their author."""
    entries = _load(WorkLog.objects.filter(_seen_by(actor), id=entry_id))
    if not is_deleted_included:
        entries = entries.filter(deleted_at=None)
    if is_locked:
        entries = entries.select_for_update(of=("self",))
    entry = entries.first()
    if entry is None:
        raise EntryNotFound
    return entry


def count_entries_of(*, tenant: TenantId, author_id: UUID) -> tuple[int, int]:
    """How many entries a person has in the tenant: (shared with the team, private)."""
    mine = WorkLog.objects.filter(tenant_id=tenant, author_id=author_id, deleted_at=None)
    counts = mine.aggregate(all=Count("id"), team=Count("id", filter=Q(visibility=Visibility.TEAM)))
    return counts["team"], counts["all"] - counts["team"]


def check_can_change_entry(*, actor: Actor, entry: WorkLog) -> None:
    """Raises NotTheAuthor: editing, deleting, restoring and the history are the author's alone."""
    if entry.author_id != actor.user_id:
        raise NotTheAuthor


def can_change_entry(*, actor: Actor, entry: WorkLog) -> bool:
    """Whether `check_can_change_entry` passes."""
    try:
        check_can_change_entry(actor=actor, entry=entry)
    except NotTheAuthor:
        return False
    return True


def lacks_impact() -> Q:
    """Entries that tell no outcome: neither a sentence nor a figure."""
    return Q(impact="", impact_before=None, impact_after=None)


def matches_words(text: str) -> Q:
    """Entries that hold each word of the text somewhere in title, body or impact, in any case."""
    condition = Q()
    for word in text.split()[: types.SEARCH_WORDS_MAX]:
        condition &= Q(title__icontains=word) | Q(body__icontains=word) | Q(impact__icontains=word)
    return condition


def list_versions(*, actor: Actor, entry_id: UUID) -> QuerySet[WorkLogVersion]:
    """How an entry read after each save, newest first. Raises EntryNotFound, NotTheAuthor.

    For the author alone: what an entry said before it was shared was not written for others.
    """
    entry = get_entry(actor=actor, entry_id=entry_id, is_deleted_included=True)
    check_can_change_entry(actor=actor, entry=entry)
    return entry.versions.select_related("editor").order_by("-version")


def list_names(*, actor: Actor, kind: NameKind) -> QuerySet[NamedThing]:
    """The tenant's employers, projects or tags in alphabetical order."""
    return MODEL_OF_KIND[kind].objects.filter(tenant_id=actor.tenant).order_by("name_key")


def get_defaults(*, actor: Actor) -> EntryDefaults:
    """The employer and the project that the actor wrote down last, and the tags of the last entry."""
    entries = _own(actor).order_by("-created_at", "-id")
    last = _load(entries).first()
    return EntryDefaults(
        employer=entries.exclude(employer=None).values_list("employer__name", flat=True).first() or "",
        project=entries.exclude(project=None).values_list("project__name", flat=True).first() or "",
        tags=tuple(tag.name for tag in last.tags.all()) if last else (),
    )


def draft_of(entry: WorkLog) -> EntryDraft:
    """The content of an entry that was loaded with its names."""
    return EntryDraft(
        employer=entry.employer.name if entry.employer else "",
        project=entry.project.name if entry.project else "",
        tags=tuple(tag.name for tag in entry.tags.all()),
        **{name: getattr(entry, name) for name in PLAIN_FIELDS},
    )


def freeze_entries(
    *, actor: Actor, period_from: date, period_to: date, entry_ids: Sequence[UUID] | None
) -> list[FrozenEntry]:
    """The chosen entries of a period (both days included) as they read now, by day, then in the order of writing.

    Without a choice these are all of the actor's own; a choice may also name what colleagues share. Raises Invalid
    when a chosen entry is not to be found in the period, or when there are more than FROZEN_MAX.
    """
    entries = _own(actor) if entry_ids is None else WorkLog.objects.filter(_seen_by(actor), id__in=entry_ids)
    entries = entries.filter(deleted_at=None, occurred_on__gte=period_from, occurred_on__lte=period_to)
    if len(entry_ids or ()) > types.FROZEN_MAX:
        raise _too_many()
    rows = list(_load(entries).order_by("occurred_on", "id")[: types.FROZEN_MAX + 1])
    if len(rows) > types.FROZEN_MAX:
        raise _too_many()
    missing = 0 if entry_ids is None else len(set(entry_ids)) - len(rows)
    if missing:
        raise Invalid(fields={"entry_ids": [f"{missing} of the chosen entries cannot be found in this period."]})
    return [_freeze(row) for row in rows]


def _too_many() -> Invalid:
    return Invalid(fields={"entry_ids": [f"Choose at most {types.FROZEN_MAX} entries, or a shorter period."]})


def _freeze(entry: WorkLog) -> FrozenEntry:
    draft = draft_of(entry)
    return FrozenEntry(
        id=entry.id,
        version=entry.version,
        occurred_on=entry.occurred_on,
        title=draft.title,
        body=draft.body,
        employer=draft.employer,
        project=draft.project,
        role=draft.role,
        tags=draft.tags,
        impact=describe_impact(draft),
        hours=draft.hours,
    )


def describe_impact(draft: EntryDraft) -> str:
    """The outcome as one text: the sentence, with the figures that it does not name itself in brackets."""
    figures = _describe_figures(draft)
    if not draft.impact or not figures:
        return draft.impact or figures
    if figures in draft.impact:
        return draft.impact
    return f"{draft.impact} ({figures})"


def _describe_figures(draft: EntryDraft) -> str:
    """Such as `run time from 40 to 6 min`; empty when there is no figure."""
    before = "" if draft.impact_before is None else format_figure(draft.impact_before)
    after = "" if draft.impact_after is None else format_figure(draft.impact_after)
    if before and after:
        words = [draft.impact_metric, f"from {before} to {after}", draft.impact_unit]
    elif before or after:
        words = [draft.impact_metric, "before" if before else "", before or after, draft.impact_unit]
    else:
        return ""
    return " ".join(filter(None, words))
