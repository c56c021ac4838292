"""Reading the audit: owners their own tenant's, staff all of it. Names are joined to the ids as they are today."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from apps.common.errors import Forbidden
from apps.observability.models import AuditEvent
from apps.observability.selectors import list_audit
from apps.observability.types import AuditFilters
from apps.tenants.models import Tenant
from apps.tenants.selectors.members import check_is_owner
from apps.tenants.types import Actor, AuditRow, Person, TenantName

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class _Somebody:
    person: Person
    is_staff: bool


def list_tenant_audit(*, actor: Actor, filters: AuditFilters, who: str = "") -> QuerySet[AuditEvent]:
    """What happened in the actor's tenant, newest first. `who` is a user name or id. Raises OwnersOnly."""
    check_is_owner(actor)
    return _list(tenant=actor.tenant, filters=filters, who=who)


def list_all_audit(
    *, actor: Actor, filters: AuditFilters, who: str = "", tenant: UUID | None = None
) -> QuerySet[AuditEvent]:
    """Over all tenants, for staff: what happened anywhere, newest first. Raises Forbidden."""
    if not actor.is_staff:
        raise Forbidden
    return _list(tenant=tenant, filters=filters, who=who)


def _list(*, tenant: UUID | None, filters: AuditFilters, who: str) -> QuerySet[AuditEvent]:
    if who:
        actor_id = find_person_id(who)
        if actor_id is None:
            return list_audit(tenant=tenant, filters=filters).none()
        filters = replace(filters, actor_id=actor_id)
    return list_audit(tenant=tenant, filters=filters)


def find_person_id(who: str) -> UUID | None:
    """The person meant by a user name, whatever its case, or by an id."""
    try:
        return UUID(who)
    except ValueError:
        found = get_user_model().objects.filter(username__iexact=who).values_list("pk", flat=True).first()
        return UUID(str(found)) if found else None


def view_audit(*, events: Sequence[AuditEvent], is_for_staff: bool) -> list[AuditRow]:
    """Rows with names: two queries, however many there are. The network addresses of staff are for staff alone."""
    ids = [person for event in events for person in (event.actor_id, event.on_behalf_of_id) if person]
    people = _map_people(set(ids))
    tenants = _map_tenants({event.tenant_id for event in events if event.tenant_id})
    return [_view(event, people=people, tenants=tenants, is_for_staff=is_for_staff) for event in events]


def iterate_audit(*, events: QuerySet[AuditEvent], is_for_staff: bool) -> Iterator[AuditRow]:
    """All rows of a list, a batch at a time along the list's own order, so that nothing grows with its length."""
    last: AuditEvent | None = None
    while True:
        rest = events if last is None else events.filter(Q(at__lt=last.at) | Q(at=last.at, id__lt=last.id))
        batch = list(rest[:_BATCH])
        yield from view_audit(events=batch, is_for_staff=is_for_staff)
        if len(batch) < _BATCH:
            return
        last = batch[-1]


def _map_people(ids: set[UUID]) -> dict[UUID | None, _Somebody]:
    rows = get_user_model().objects.filter(pk__in=ids).values_list("pk", "username", "is_staff")
    return {pk: _Somebody(person=Person(id=pk, username=name), is_staff=is_staff) for pk, name, is_staff in rows}


def _map_tenants(ids: set[UUID]) -> dict[UUID | None, TenantName]:
    rows = Tenant.objects.filter(id__in=ids).values_list("id", "name")
    return {pk: TenantName(id=pk, name=name) for pk, name in rows}


def _view(
    event: AuditEvent,
    *,
    people: Mapping[UUID | None, _Somebody],
    tenants: Mapping[UUID | None, TenantName],
    is_for_staff: bool,
) -> AuditRow:
    actor, other = people.get(event.actor_id), people.get(event.on_behalf_of_id)
    is_address_hidden = actor is not None and actor.is_staff and not is_for_staff
    return AuditRow(
        id=event.id,
        at=event.at,
        action=event.action,
        actor=_name(event.actor_id, actor),
        on_behalf_of=_name(event.on_behalf_of_id, other),
        origin=event.origin,
        target_kind=event.target_kind,
        target_id=event.target_id,
        before=event.before,
        after=event.after,
        reason=event.reason,
        address=None if is_address_hidden else event.address,
        request_id=event.request_id,
        tenant=tenants.get(event.tenant_id),
    )


def _name(person_id: UUID | None, somebody: _Somebody | None) -> Person | None:
    """Whoever is gone for good is known by the id alone."""
    if person_id is None:
        return None
    return somebody.person if somebody else Person(id=person_id, username="")
