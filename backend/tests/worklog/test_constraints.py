"""The worklog's rules hold in the database itself, also for who goes round the services."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.utils import DataError

from apps.tenants.types import Actor
from apps.worklog import services
from apps.worklog.models import WorkLog, WorkLogTag, WorkLogVersion
from apps.worklog.types import NameKind
from tests.factories.accounts import make_actor
from tests.factories.worklog import make_entry

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.mark.parametrize(
    "change",
    [
        {"title": "   "},
        {"hours": -1},
        {"hours": 1001},
        {"version": 0},
        {"visibility": "world"},
        {"status": "done"},
        {"occurred_on": date(1, 1, 1)},
    ],
)
def test_an_entry_out_of_bounds_is_refused(actor: Actor, change: dict[str, Any]) -> None:
    entry = make_entry(actor)

    with pytest.raises(IntegrityError), transaction.atomic():
        WorkLog.objects.filter(id=entry.id).update(**change)


def test_an_endless_body_is_refused(actor: Actor) -> None:
    entry = make_entry(actor)

    with pytest.raises(DataError), transaction.atomic():
        WorkLog.objects.filter(id=entry.id).update(body="x" * 20_001)


@pytest.mark.parametrize("kind", [NameKind.EMPLOYER, NameKind.PROJECT])
def test_an_entry_cannot_name_another_tenants_things(actor: Actor, kind: NameKind) -> None:
    entry = make_entry(actor)
    foreign = services.ensure_name(actor=make_actor(), kind=kind, name="Foreign")

    with pytest.raises(IntegrityError), transaction.atomic():
        WorkLog.objects.filter(id=entry.id).update(**{kind.value: foreign.pk})


@pytest.mark.parametrize("is_tenant_foreign", [True, False])
def test_an_entry_cannot_carry_another_tenants_tag(actor: Actor, *, is_tenant_foreign: bool) -> None:
    stranger = make_actor()
    entry = make_entry(actor)
    foreign = services.ensure_name(actor=stranger, kind=NameKind.TAG, name="foreign")
    tenant = stranger.tenant if is_tenant_foreign else actor.tenant

    with pytest.raises(IntegrityError), transaction.atomic():
        WorkLogTag.objects.create(tenant_id=tenant, worklog=entry, tag_id=foreign.pk)


def test_a_version_cannot_belong_to_another_tenant(actor: Actor) -> None:
    entry = make_entry(actor)

    with pytest.raises(IntegrityError), transaction.atomic():
        WorkLogVersion.objects.create(
            tenant_id=make_actor().tenant,
            worklog=entry,
            version=2,
            editor_id=actor.user_id,
            edited_at=entry.created_at,
            snapshot={},
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE worklog_worklogversion SET snapshot = '{}'",
        "DELETE FROM worklog_worklogversion",
        "TRUNCATE worklog_worklogversion",
    ],
)
def test_the_history_cannot_be_rewritten(actor: Actor, statement: str) -> None:
    make_entry(actor)

    with connection.cursor() as cursor:
        # Pending checks of deferred keys would refuse TRUNCATE before the trigger does.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(ProgrammingError, match=r"append only|Cannot (update|delete)"), transaction.atomic():
            cursor.execute(statement)


def test_one_number_is_one_version(actor: Actor) -> None:
    version = make_entry(actor).versions.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        WorkLogVersion.objects.create(
            tenant_id=version.tenant_id,
            worklog_id=version.worklog_id,
            version=version.version,
            editor_id=version.editor_id,
            edited_at=version.edited_at,
            snapshot={},
        )


def test_names_are_unique_by_their_key(actor: Actor) -> None:
    row = services.ensure_name(actor=actor, kind=NameKind.EMPLOYER, name="Acme")

    with pytest.raises(IntegrityError), transaction.atomic():
        type(row).objects.create(tenant_id=actor.tenant, name="ACME", name_key="acme")
