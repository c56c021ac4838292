"""Who sees what, and what a report is made of."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.common.errors import Invalid
from apps.common.ids import uuid7
from apps.tenants.types import Actor, Role
from apps.worklog import selectors, services, types
from apps.worklog.models import WorkLog
from apps.worklog.types import EntryDefaults, EntryDraft, FrozenEntry, NameKind, Ordering, Visibility
from tests.factories.accounts import make_actor
from tests.factories.worklog import NOW, make_entries, make_entry

pytestmark = pytest.mark.django_db

JANUARY = {"period_from": date(2026, 1, 1), "period_to": date(2026, 1, 31)}


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.fixture
def colleague(actor: Actor) -> Actor:
    return make_actor(tenant=actor.tenant, role=Role.MEMBER)


def titles(entries: object) -> list[str]:
    return [entry.title for entry in entries]  # type: ignore[attr-defined]


class TestListing:
    def test_shows_ones_own_and_what_colleagues_share(self, actor: Actor, colleague: Actor) -> None:
        make_entry(actor, "mine")
        make_entry(colleague, "theirs, shared", visibility=Visibility.TEAM)
        make_entry(colleague, "theirs, private")
        make_entry(make_actor(), "strangers', shared", visibility=Visibility.TEAM)

        assert set(titles(selectors.list_entries(actor=actor))) == {"mine", "theirs, shared"}

    def test_latest_day_first_then_last_written(self, actor: Actor) -> None:
        for title, day in [("b", 2), ("a", 1), ("c", 2)]:
            make_entry(actor, title, occurred_on=date(2026, 1, day))

        assert titles(selectors.list_entries(actor=actor)) == ["c", "b", "a"]
        assert titles(selectors.list_entries(actor=actor, ordering=Ordering.OLDEST_DAY)) == ["a", "b", "c"]

    def test_last_written_first(self, actor: Actor) -> None:
        make_entry(actor, "first", now=NOW, occurred_on=date(2026, 1, 9))
        make_entry(actor, "second", now=NOW + timedelta(minutes=1), occurred_on=date(2026, 1, 1))

        assert titles(selectors.list_entries(actor=actor, ordering=Ordering.NEWEST_WRITTEN)) == ["second", "first"]

    def test_only_the_author_may_change_an_entry(self, actor: Actor, colleague: Actor) -> None:
        entry = make_entry(actor, visibility=Visibility.TEAM)

        assert selectors.can_change_entry(actor=actor, entry=entry)
        assert not selectors.can_change_entry(actor=colleague, entry=entry)

    def test_the_history_is_the_authors_alone(self, actor: Actor, colleague: Actor) -> None:
        entry = make_entry(actor, visibility=Visibility.TEAM)

        with pytest.raises(selectors.NotTheAuthor):
            selectors.list_versions(actor=colleague, entry_id=entry.id)


class TestImpact:
    def test_an_entry_lacks_impact_without_sentence_and_figure(self, actor: Actor) -> None:
        make_entry(actor, "none", impact_metric="run time", impact_unit="min")
        make_entry(actor, "sentence", impact="Faster")
        make_entry(actor, "figure", impact_after=Decimal(6))

        assert titles(WorkLog.objects.filter(selectors.lacks_impact())) == ["none"]

    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({}, ""),
            ({"impact": "Faster"}, "Faster"),
            ({"impact_metric": "run time", "impact_unit": "min"}, ""),
            ({"impact_before": 40, "impact_after": 6, "impact_unit": "min"}, "from 40 to 6 min"),
            ({"impact_metric": "cost", "impact_after": "2.50", "impact_unit": "USD"}, "cost 2.5 USD"),
            ({"impact_metric": "cost", "impact_before": 3}, "cost before 3"),
            ({"impact": "Faster", "impact_metric": "run", "impact_after": 6}, "Faster (run 6)"),
            ({"impact": "It fell from 40 to 6", "impact_before": 40, "impact_after": 6}, "It fell from 40 to 6"),
        ],
    )
    def test_is_told_with_its_figures_once(self, fields: dict[str, object], text: str) -> None:
        figures = {key: Decimal(str(value)) for key, value in fields.items() if key.endswith(("before", "after"))}
        draft = EntryDraft(title="t", **{**fields, **figures})  # type: ignore[arg-type]

        assert selectors.describe_impact(draft) == text


class TestFreezing:
    def test_takes_all_of_ones_own_in_the_period_with_both_ends(self, actor: Actor, colleague: Actor) -> None:
        for day in [date(2025, 12, 31), date(2026, 1, 31), date(2026, 1, 1), date(2026, 2, 1)]:
            make_entry(actor, day.isoformat(), occurred_on=day)
        make_entry(colleague, "theirs", occurred_on=date(2026, 1, 5), visibility=Visibility.TEAM)

        frozen = selectors.freeze_entries(actor=actor, entry_ids=None, **JANUARY)
        assert titles(frozen) == ["2026-01-01", "2026-01-31"]

    def test_leaves_out_what_is_deleted_and_keeps_drafts(self, actor: Actor) -> None:
        kept, deleted = make_entries(actor, 2, status=types.EntryStatus.DRAFT)
        services.delete_entry(actor=actor, entry_id=deleted.id, now=NOW)

        assert [entry.id for entry in selectors.freeze_entries(actor=actor, entry_ids=None, **JANUARY)] == [kept.id]

    def test_takes_the_chosen_ones_in_the_order_of_their_days(self, actor: Actor, colleague: Actor) -> None:
        first, second, _ = make_entries(actor, 3)
        shared = make_entry(colleague, occurred_on=date(2026, 1, 20), visibility=Visibility.TEAM)
        chosen = [shared.id, second.id, first.id, first.id]

        frozen = selectors.freeze_entries(actor=actor, entry_ids=chosen, **JANUARY)
        assert [entry.id for entry in frozen] == [first.id, second.id, shared.id]

    def test_refuses_a_choice_that_it_cannot_find(self, actor: Actor, colleague: Actor) -> None:
        hidden = make_entry(colleague, occurred_on=date(2026, 1, 2))
        outside = make_entry(actor, occurred_on=date(2026, 2, 2))

        with pytest.raises(Invalid) as caught:
            selectors.freeze_entries(actor=actor, entry_ids=[hidden.id, outside.id, uuid7()], **JANUARY)
        assert caught.value.fields == {"entry_ids": ["3 of the chosen entries cannot be found in this period."]}

    def test_refuses_more_than_a_report_can_rest_on(self, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(types, "FROZEN_MAX", 2)
        ids = [entry.id for entry in make_entries(actor, 3)]

        for choice in (None, ids):
            with pytest.raises(Invalid, match="correct"):
                selectors.freeze_entries(actor=actor, entry_ids=choice, **JANUARY)

    def test_is_empty_when_there_is_nothing(self, actor: Actor) -> None:
        assert selectors.freeze_entries(actor=actor, entry_ids=None, **JANUARY) == []

    def test_a_frozen_entry_survives_being_written_down(self, actor: Actor) -> None:
        make_entry(
            actor,
            occurred_on=date(2026, 1, 2),
            body="How",
            employer="Acme",
            project="Billing",
            role="Lead",
            tags=("a", "b"),
            impact="Faster",
            hours=Decimal("1.5"),
        )
        frozen = selectors.freeze_entries(actor=actor, entry_ids=None, **JANUARY)

        assert [FrozenEntry.from_json(entry.to_json()) for entry in frozen] == frozen

    def test_a_bare_frozen_entry_survives_it_too(self) -> None:
        entry = FrozenEntry(id=uuid7(), version=3, occurred_on=date(2026, 1, 2), title="t")

        assert FrozenEntry.from_json(entry.to_json()) == entry


class TestDefaults:
    def test_are_empty_for_a_newcomer(self, actor: Actor) -> None:
        assert selectors.get_defaults(actor=actor) == EntryDefaults()

    def test_are_what_the_person_wrote_down_last(self, actor: Actor, colleague: Actor) -> None:
        make_entry(actor, employer="Acme", project="Old")
        make_entry(actor, project="New", tags=("a",), now=NOW + timedelta(minutes=1))
        make_entry(colleague, employer="Globex", visibility=Visibility.TEAM, now=NOW + timedelta(minutes=2))

        assert selectors.get_defaults(actor=actor) == EntryDefaults(employer="Acme", project="New", tags=("a",))


class TestNames:
    def test_are_listed_for_the_tenant_in_alphabetical_order(self, actor: Actor, colleague: Actor) -> None:
        for person, name in [(actor, "zeta"), (colleague, "Alpha"), (make_actor(), "Other")]:
            services.ensure_name(actor=person, kind=NameKind.EMPLOYER, name=name)

        names = selectors.list_names(actor=actor, kind=NameKind.EMPLOYER)
        assert [row.name for row in names] == ["Alpha", "zeta"]
