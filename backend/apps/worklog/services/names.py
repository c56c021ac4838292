"""Employers, projects and tags: made when first named, found again in whatever spelling."""

from collections.abc import Iterable
from typing import TypeVar

from apps.common.errors import Invalid
from apps.common.tenancy import TenantId
from apps.tenants.types import Actor
from apps.worklog.models import MODEL_OF_KIND, NamedThing
from apps.worklog.services.drafts import find_name_problem
from apps.worklog.types import NameKind, fold_name, squeeze

ThingT = TypeVar("ThingT", bound=NamedThing)


def _find(model: type[ThingT], *, tenant: TenantId, keys: Iterable[str]) -> dict[str, ThingT]:
    rows = model.objects.filter(tenant_id=tenant, name_key__in=list(keys))
    return {row.name_key: row for row in rows}


def ensure_names(model: type[ThingT], *, tenant: TenantId, names: Iterable[str]) -> list[ThingT]:
    """The rows of these names, in the order of their keys; what is missing is made.

    Safe against others who make the same names at the same moment: the insert yields to them and waits for their
    commit. Rows go in by key, so that two writers with the same names never wait for each other.
    """
    wanted = {fold_name(name): name for name in reversed(list(names))}
    found = _find(model, tenant=tenant, keys=wanted)
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        model.objects.bulk_create(
            [model(tenant_id=tenant, name=wanted[key], name_key=key) for key in missing], ignore_conflicts=True
        )
        found |= _find(model, tenant=tenant, keys=missing)
    return [found[key] for key in sorted(wanted)]


def ensure_name(*, actor: Actor, kind: NameKind, name: str) -> NamedThing:
    """The tenant's row of this name, made when it is new; raises Invalid for a name that cannot be kept."""
    cleaned = squeeze(name)
    if problem := find_name_problem(cleaned):
        raise Invalid(fields={"name": [problem]})
    return ensure_names(MODEL_OF_KIND[kind], tenant=actor.tenant, names=[cleaned])[0]
