"""One erasure under way: whose, how far, and what it has removed so far."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from apps.common.failpoints import failpoint
from apps.common.tenancy import TenantId
from apps.orchestration.models import AccountDeletion
from apps.orchestration.personal_types import DeletionScope, DeletionState

# Rows that go in one transaction.
BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant in which something is erased: of one author, or (None) of everybody who ever wrote there.

    In a tenant that the person had left before, what they shared with it stays with it.
    """

    tenant: TenantId
    author: UUID | None
    is_former: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """What the steps of an erasure know. `people` are those who are forgotten; `user_id` asked for it."""

    deletion_id: UUID
    tenant: TenantId
    user_id: UUID
    scope: DeletionScope
    people: tuple[UUID, ...]
    places: tuple[Place, ...]
    started_at: datetime

    @property
    def is_whole_tenant(self) -> bool:
        return self.scope is DeletionScope.TENANT


def lock_deletion(case: Case) -> AccountDeletion:
    """The row of the erasure, locked."""
    return AccountDeletion.objects.select_for_update().get(tenant_id=case.tenant, pk=case.deletion_id)


def add_count(case: Case, counts_as: str, removed: int) -> None:
    """Adds to what the certificate will say. Call in the transaction that removed."""
    if removed:
        row = lock_deletion(case)
        row.counts[counts_as] = row.counts.get(counts_as, 0) + removed
        row.save(update_fields=["counts"])


def erase_once(case: Case, counts_as: str, erase: Callable[[], int]) -> None:
    """Removes and counts in one commit."""
    with transaction.atomic():
        add_count(case, counts_as, erase())


def erase_all(case: Case, counts_as: str, erase: Callable[[], Sequence[object] | int]) -> None:
    """Calls `erase`, which removes a batch and says how much, until nothing is left; each batch is one commit."""
    while True:
        with transaction.atomic():
            removed = erase()
            count = removed if isinstance(removed, int) else len(removed)
            add_count(case, counts_as, count)
        if not count:
            return
        failpoint(f"erasure_within_{counts_as}")


def find_done(case: Case) -> set[str]:
    """The steps that have been committed."""
    return set(AccountDeletion.objects.values_list("done", flat=True).get(tenant_id=case.tenant, pk=case.deletion_id))


@transaction.atomic
def mark_done(case: Case, step: str, *, lease_until: datetime) -> None:
    """Notes that a step is through, and that the worker still lives."""
    row = lock_deletion(case)
    if row.state == DeletionState.ERASING:
        row.done, row.lease_until = [*row.done, step], lease_until
        row.save(update_fields=["done", "lease_until"])
