"""Writing, editing, deleting and restoring entries."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from apps.observability.selectors import list_events
from apps.tenants.types import Actor, Role
from apps.worklog import selectors, services
from apps.worklog.models import WorkLog
from apps.worklog.types import EntryChanges, EntryDraft, EntryStatus, Visibility
from tests.factories.accounts import make_actor
from tests.factories.worklog import NOW, TODAY, make_entry

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def actor() -> Actor:
    return make_actor()


def edit(actor: Actor, entry_id: UUID, *, expected_version: int | None = None, **changes: object) -> WorkLog:
    wanted: EntryChanges = changes  # type: ignore[assignment]
    return services.edit_entry(
        actor=actor, entry_id=entry_id, changes=wanted, expected_version=expected_version, now=LATER
    )


def colleague_of(actor: Actor) -> Actor:
    return make_actor(tenant=actor.tenant, role=Role.MEMBER)


class TestCreating:
    def test_needs_only_a_title(self, actor: Actor) -> None:
        entry = make_entry(actor, "Shipped the importer")

        assert (entry.title, entry.occurred_on, entry.version) == ("Shipped the importer", TODAY, 1)
        assert (entry.visibility, entry.status) == (Visibility.PRIVATE, EntryStatus.FINAL)

    def test_the_day_defaults_to_today_where_the_person_is(self) -> None:
        actor = make_actor(time_zone="Pacific/Auckland")
        entry = make_entry(actor, now=datetime(2026, 11, 20, 20, 0, tzinfo=UTC))

        assert entry.occurred_on == date(2026, 11, 21)

    def test_keeps_every_field(self, actor: Actor) -> None:
        draft = EntryDraft(
            title="Cut the invoice run",
            occurred_on=date(2026, 11, 2),
            body="**How**\n\n- batched",
            employer="Acme",
            project="Billing",
            role="Lead",
            tags=("finance", "python"),
            impact="Month end a day earlier",
            impact_metric="run time",
            impact_before=Decimal(40),
            impact_after=Decimal("6.5"),
            impact_unit="min",
            hours=Decimal("2.25"),
            visibility=Visibility.TEAM,
            status=EntryStatus.DRAFT,
        )
        entry = services.create_entry(actor=actor, draft=draft, now=NOW)

        assert selectors.draft_of(selectors.get_entry(actor=actor, entry_id=entry.id)) == draft

    def test_belongs_to_its_author_and_their_tenant(self, actor: Actor) -> None:
        entry = make_entry(actor)

        assert (entry.tenant_id, entry.author_id) == (actor.tenant, actor.user_id)

    def test_keeps_its_first_version(self, actor: Actor) -> None:
        entry = make_entry(actor, employer="Acme", tags=("b", "a"), hours=Decimal(2))

        version = selectors.list_versions(actor=actor, entry_id=entry.id).get()
        assert (version.version, version.editor_id, version.edited_at) == (1, actor.user_id, NOW)
        assert version.snapshot["employer"] == "Acme"
        assert version.snapshot["tags"] == ["a", "b"]
        assert version.snapshot["hours"] == "2.00"


class TestEditing:
    def test_changes_the_named_fields_and_leaves_the_rest(self, actor: Actor) -> None:
        entry = make_entry(actor, "Old", employer="Acme", tags=("a",), body="kept")
        edited = edit(actor, entry.id, title="New")

        assert (edited.title, edited.body, edited.version, edited.updated_at) == ("New", "kept", 2, LATER)
        assert selectors.draft_of(edited).employer == "Acme"
        assert selectors.draft_of(edited).tags == ("a",)

    def test_keeps_the_version_before(self, actor: Actor) -> None:
        entry = make_entry(actor, "Old")
        edit(actor, entry.id, title="New")

        versions = selectors.list_versions(actor=actor, entry_id=entry.id)
        assert [(row.version, row.snapshot["title"]) for row in versions] == [(2, "New"), (1, "Old")]

    def test_exchanges_tags(self, actor: Actor) -> None:
        entry = make_entry(actor, tags=("a", "b"))
        edited = edit(actor, entry.id, tags=("b", "c"))

        assert selectors.draft_of(edited).tags == ("b", "c")

    def test_clears_what_is_emptied(self, actor: Actor) -> None:
        entry = make_entry(actor, employer="Acme", project="Billing", tags=("a",), hours=Decimal(1))
        edited = edit(actor, entry.id, employer="", project="", tags=(), hours=None)

        draft = selectors.draft_of(edited)
        assert (draft.employer, draft.project, draft.tags, draft.hours) == ("", "", (), None)

    def test_an_edit_that_changes_nothing_makes_no_version(self, actor: Actor) -> None:
        entry = make_entry(actor, "Same", employer="Acme", tags=("a",), hours=Decimal("2.00"))
        edited = edit(actor, entry.id, title=" Same ", employer="ACME", tags=("A",), hours=Decimal(2))

        assert (edited.version, edited.updated_at) == (1, NOW)

    def test_refuses_to_overwrite_a_version_that_the_person_has_not_seen(self, actor: Actor) -> None:
        entry = make_entry(actor)
        edit(actor, entry.id, title="By another window", expected_version=1)

        with pytest.raises(services.VersionConflict):
            edit(actor, entry.id, title="By this window", expected_version=1)

    def test_an_edit_keeps_the_day(self, actor: Actor) -> None:
        entry = make_entry(actor, occurred_on=date(2026, 1, 5))

        assert edit(actor, entry.id, title="New").occurred_on == date(2026, 1, 5)

    def test_a_shared_entry_is_edited_by_its_author_alone(self, actor: Actor) -> None:
        entry = make_entry(actor, visibility=Visibility.TEAM)

        with pytest.raises(selectors.NotTheAuthor):
            edit(colleague_of(actor), entry.id, title="Mine now")

    def test_a_private_entry_does_not_exist_for_a_colleague(self, actor: Actor) -> None:
        entry = make_entry(actor)

        with pytest.raises(selectors.EntryNotFound):
            edit(colleague_of(actor), entry.id, title="Mine now")

    def test_a_shared_entry_does_not_exist_for_another_tenant(self, actor: Actor) -> None:
        entry = make_entry(actor, visibility=Visibility.TEAM)

        with pytest.raises(selectors.EntryNotFound):
            edit(make_actor(), entry.id, title="Mine now")


class TestDeleting:
    def test_hides_the_entry(self, actor: Actor) -> None:
        entry = make_entry(actor)
        services.delete_entry(actor=actor, entry_id=entry.id, now=LATER)

        assert not selectors.list_entries(actor=actor).exists()
        with pytest.raises(selectors.EntryNotFound):
            selectors.get_entry(actor=actor, entry_id=entry.id)

    def test_can_be_undone_without_loss(self, actor: Actor) -> None:
        entry = make_entry(actor, tags=("a",))
        services.delete_entry(actor=actor, entry_id=entry.id, now=LATER)
        restored = services.restore_entry(actor=actor, entry_id=entry.id, now=LATER)

        assert (restored.deleted_at, restored.version) == (None, 1)
        assert selectors.draft_of(restored) == selectors.draft_of(entry)

    def test_leaves_a_trace_of_both(self, actor: Actor) -> None:
        entry = make_entry(actor)
        services.delete_entry(actor=actor, entry_id=entry.id, now=LATER)
        services.restore_entry(actor=actor, entry_id=entry.id, now=LATER)

        events = list_events(tenant=actor.tenant, subject_id=entry.id)
        assert [event.name for event in events] == ["worklog.deleted", "worklog.restored"]

    def test_restoring_what_is_not_deleted_changes_nothing(self, actor: Actor) -> None:
        entry = make_entry(actor)
        services.restore_entry(actor=actor, entry_id=entry.id, now=LATER)

        assert not list_events(tenant=actor.tenant, subject_id=entry.id).exists()

    def test_is_the_authors_alone(self, actor: Actor) -> None:
        entry = make_entry(actor, visibility=Visibility.TEAM)

        with pytest.raises(selectors.NotTheAuthor):
            services.delete_entry(actor=colleague_of(actor), entry_id=entry.id, now=LATER)

    def test_a_deleted_entry_does_not_exist_for_a_colleague(self, actor: Actor) -> None:
        entry = make_entry(actor, visibility=Visibility.TEAM)
        services.delete_entry(actor=actor, entry_id=entry.id, now=LATER)

        with pytest.raises(selectors.EntryNotFound):
            services.restore_entry(actor=colleague_of(actor), entry_id=entry.id, now=LATER)
