"""Employers, projects and tags: one row a name, whatever the spelling and whoever comes first."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection, transaction

from apps.common.errors import Invalid
from apps.tenants.types import Actor
from apps.worklog import services
from apps.worklog.models import Employer, Project, Tag
from apps.worklog.services.names import ensure_names
from apps.worklog.types import NameKind
from tests.factories.accounts import make_actor
from tests.factories.worklog import NOW, make_entry


@pytest.mark.django_db
class TestEnsuring:
    def test_the_first_spelling_wins(self) -> None:
        actor = make_actor()
        first = make_entry(actor, employer="ACME Corp")
        second = make_entry(actor, employer="acme  corp")

        assert first.employer == second.employer == Employer.objects.get()
        assert Employer.objects.get().name == "ACME Corp"

    @pytest.mark.parametrize(("one", "other"), [("Straße", "STRASSE"), ("Zoë", "Zoe\u0308"), ("\uff21cme", "acme")])
    def test_folds_beyond_ascii(self, one: str, other: str) -> None:
        actor = make_actor()
        rows = [services.ensure_name(actor=actor, kind=NameKind.PROJECT, name=name) for name in (one, other)]

        assert rows[0] == rows[1]

    def test_each_tenant_has_its_own(self) -> None:
        names = [services.ensure_name(actor=make_actor(), kind=NameKind.TAG, name="ops") for _ in range(2)]

        assert names[0] != names[1]

    def test_the_kinds_do_not_mix(self) -> None:
        actor = make_actor()
        for kind in NameKind:
            services.ensure_name(actor=actor, kind=kind, name="Atlas")

        assert (Employer.objects.count(), Project.objects.count(), Tag.objects.count()) == (1, 1, 1)

    @pytest.mark.parametrize("name", ["", "  ", "\u200b", "x" * 81, "\x07bell"])
    def test_refuses_what_is_no_name(self, name: str) -> None:
        with pytest.raises(Invalid) as caught:
            services.ensure_name(actor=make_actor(), kind=NameKind.TAG, name=name)
        assert list(caught.value.fields) == ["name"]


def _write_tags(actor: Actor, barrier: Barrier, names: list[str]) -> None:
    try:
        with transaction.atomic():
            barrier.wait(timeout=10)
            ensure_names(Tag, tenant=actor.tenant, names=names)
    finally:
        connection.close()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_writers_of_the_same_names_at_once_end_up_with_one_row_each() -> None:
    actor, barrier = make_actor(), Barrier(6)
    orders = [["a", "b", "c"], ["C", "B", "A"], ["b", "c", "a"]] * 2

    with ThreadPoolExecutor(max_workers=6) as pool:
        for done in [pool.submit(_write_tags, actor, barrier, names) for names in orders]:
            done.result(timeout=20)

    assert sorted(Tag.objects.values_list("name_key", flat=True)) == ["a", "b", "c"]


def _edit(actor: Actor, barrier: Barrier, entry_id: UUID, title: str) -> str:
    try:
        barrier.wait(timeout=10)
        services.edit_entry(
            actor=actor,
            entry_id=entry_id,
            changes={"title": title},
            expected_version=1,
            now=NOW,
        )
    except services.VersionConflict:
        return "refused"
    finally:
        connection.close()
    return "saved"


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_edits_of_one_version_at_once_exactly_one_is_saved() -> None:
    actor, barrier = make_actor(), Barrier(4)
    entry = make_entry(actor)

    with ThreadPoolExecutor(max_workers=4) as pool:
        edits = [pool.submit(_edit, actor, barrier, entry.id, f"Title {number}") for number in range(4)]
        outcomes = [edit.result(timeout=20) for edit in edits]

    entry.refresh_from_db()
    assert (sorted(outcomes), entry.version) == (["refused"] * 3 + ["saved"], 2)
