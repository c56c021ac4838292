"""A customer's use by job and by entry of the worklog: where the names of both are known."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from apps.billing import selectors_costs
from apps.billing.cost_types import UsageFilter, UsageGroup, UsageGrouping, UsageGroups
from apps.orchestration.models import Job
from apps.reporting.selectors import list_entries_of_jobs
from apps.tenants.types import Actor

_SUMS: Final = ("cost_micros", "not_charged_micros", "events", "tokens_in", "tokens_out")
# Titles of jobs and entries are their author's own; a colleague sees what they cost and no more.
_OF_OTHERS: Final = "Another member's job"
_NO_ENTRY: Final = "Not for an entry"


def group_usage(*, actor: Actor, group_by: UsageGrouping, wanted: UsageFilter) -> UsageGroups:
    """The use of the actor's tenant in groups that add up to the total, to the micro. Days are the actor's.

    By entry, a job counts in equal parts for the entries that its report rests on; what cannot be parted goes to the
    first ones, a micro each. Events and tokens are parted in the same way.
    """
    by = UsageGrouping.JOB if group_by is UsageGrouping.WORKLOG else group_by
    found = selectors_costs.group_usage(tenant=actor.tenant, group_by=by, wanted=wanted, time_zone=actor.time_zone)
    if group_by is UsageGrouping.JOB:
        return replace(found, groups=_name_jobs(actor, found.groups))
    if group_by is UsageGrouping.WORKLOG:
        return replace(found, groups=_split_by_entry(actor, found.groups))
    return found


def _name_jobs(actor: Actor, groups: Sequence[UsageGroup]) -> list[UsageGroup]:
    jobs = Job.objects.filter(
        tenant_id=actor.tenant, author_id=actor.user_id, pk__in=[group.key for group in groups if group.key]
    )
    titles = {str(pk): title for pk, title in jobs.values_list("pk", "title")}
    return [replace(group, label=titles.get(group.key, _OF_OTHERS)) if group.key else group for group in groups]


def _split_by_entry(actor: Actor, groups: Sequence[UsageGroup]) -> list[UsageGroup]:
    entries = list_entries_of_jobs(actor=actor, job_ids=[UUID(group.key) for group in groups if group.key])
    parts: dict[str, UsageGroup] = {}
    for group in groups:
        used = entries.get(UUID(group.key), []) if group.key else []
        named = [(str(entry), title) for entry, title in used] or [("", _NO_ENTRY)]
        for position, (key, label) in enumerate(named):
            part = _take_part(group, key=key, label=label, position=position, of=len(named))
            parts[key] = _add(parts[key], part) if key in parts else part
    return sorted(parts.values(), key=lambda part: (-part.cost_micros, part.key))


def _take_part(group: UsageGroup, *, key: str, label: str, position: int, of: int) -> UsageGroup:
    """An equal part in whole numbers; of what is left over each of the first gets one."""
    sums = {name: divmod(getattr(group, name), of) for name in _SUMS}
    shares = {name: whole + (position < rest) for name, (whole, rest) in sums.items()}
    return UsageGroup(key=key, label=label, **shares)


def _add(one: UsageGroup, other: UsageGroup) -> UsageGroup:
    """The sum, under the name of the first."""
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in _SUMS})
