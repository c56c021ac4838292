"""The timeline over HTTP: pages, orders, filters, and what it costs."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from apps.tenants.types import Actor, Role
from apps.worklog import services
from apps.worklog.models import WorkLog
from apps.worklog.types import Visibility
from tests.api_client import Client, client_for
from tests.factories.accounts import make_actor
from tests.factories.worklog import NOW, make_entries, make_entry

pytestmark = pytest.mark.django_db

URL = "/api/worklogs/"


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.fixture
def client(actor: Actor) -> Client:
    return client_for(actor)


@pytest.fixture
def colleague(actor: Actor) -> Client:
    return client_for(make_actor(tenant=actor.tenant, role=Role.MEMBER))


class TestListing:
    def test_pages_through_everything_once(self, client: Client, actor: Actor) -> None:
        make_entries(actor, 5)
        for number in range(3):
            make_entry(actor, f"Same day {number}", occurred_on=date(2026, 1, 3))

        seen, url = [], f"{URL}?page_size=3"
        while url:
            page = client.get(url).json()
            seen += [UUID(row["id"]) for row in page["results"]]
            url = page["next"]
        expected = WorkLog.objects.order_by("-occurred_on", "-id").values_list("id", flat=True)
        assert seen == list(expected)

    def test_goes_back_a_page(self, client: Client, actor: Actor) -> None:
        make_entries(actor, 4)
        first = client.get(f"{URL}?page_size=2").json()
        second = client.get(first["next"]).json()

        assert client.get(second["previous"]).json()["results"] == first["results"]

    @pytest.mark.parametrize(
        ("ordering", "titles"),
        [
            ("", ["b", "c", "a"]),
            ("-occurred_on", ["b", "c", "a"]),
            ("occurred_on", ["a", "c", "b"]),
            ("-created_at", ["c", "b", "a"]),
        ],
    )
    def test_in_the_order_asked_for(self, client: Client, actor: Actor, ordering: str, titles: list[str]) -> None:
        for minute, (title, day) in enumerate([("a", 1), ("b", 3), ("c", 2)]):
            make_entry(actor, title, occurred_on=date(2026, 1, day), now=NOW.replace(minute=minute))

        pages = client.get(URL, {"ordering": ordering, "page_size": "2"}).json()
        rows = pages["results"] + client.get(pages["next"]).json()["results"]
        assert [row["title"] for row in rows] == titles

    @pytest.mark.parametrize(
        ("query", "titles"),
        [
            ({"q": "INVOICE"}, {"Invoice run"}),
            ({"q": "ledger run"}, {"Invoice run"}),
            ({"q": "100%"}, {"Tests"}),
            ({"q": "absent"}, set()),
            ({"from": "2026-01-02"}, {"Tests", "Talk"}),
            ({"to": "2026-01-02"}, {"Invoice run", "Tests"}),
            ({"from": "2026-01-02", "to": "2026-01-02"}, {"Tests"}),
            ({"employer": "acme"}, {"Invoice run"}),
            ({"employer": "ac"}, set()),
            ({"project": " BILLING "}, {"Invoice run"}),
            ({"tag": "Ops"}, {"Invoice run", "Tests"}),
            ({"tag": "ops", "employer": "Globex"}, {"Tests"}),
            ({"lacks_impact": "true"}, {"Talk"}),
            ({"lacks_impact": "false"}, {"Invoice run", "Tests"}),
            ({"status": "draft"}, {"Talk"}),
            ({"has_evidence": "true", "unheard_of": "1"}, {"Invoice run", "Tests", "Talk"}),
        ],
    )
    def test_narrowed(self, client: Client, actor: Actor, query: dict[str, str], titles: set[str]) -> None:
        make_entry(
            actor,
            "Invoice run",
            body="The ledger",
            employer="Acme",
            project="Billing",
            tags=("ops",),
            impact="Faster",
            occurred_on=date(2026, 1, 1),
        )
        make_entry(
            actor, "Tests", employer="Globex", tags=("Ops", "go"), impact="100% green", occurred_on=date(2026, 1, 2)
        )
        make_entry(actor, "Talk", occurred_on=date(2026, 1, 3), status="draft")

        assert {row["title"] for row in client.get(URL, query).json()["results"]} == titles

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("from", "yesterday"),
            ("to", "2026-13-01"),
            ("ordering", "tenant"),
            ("status", "gone"),
            ("q", "x" * 201),
            ("q", "\x00"),
            ("employer", "x" * 81),
            ("lacks_impact", "perhaps"),
            ("page_size", "0"),
            ("cursor", "nonsense"),
        ],
    )
    def test_a_wrong_filter_is_named(self, client: Client, name: str, value: str) -> None:
        answer = client.get(URL, {name: value})

        assert (answer.status_code, list(answer.json()["fields"])) == (400, [name])

    def test_never_shows_what_a_stranger_wrote(self, client: Client) -> None:
        stranger = make_actor()
        make_entry(stranger, "MARKER", employer="MARKER", tags=("MARKER",), visibility=Visibility.TEAM)

        for path in [URL, f"{URL}?q=marker", f"{URL}?tag=marker", f"{URL}defaults/", "/api/tags/", "/api/employers/"]:
            assert "MARKER" not in client.get(path).content.decode()

    @pytest.mark.parametrize("count", [1, 25])
    def test_costs_the_same_queries_however_long(
        self, client: Client, actor: Actor, count: int, django_assert_num_queries: Any
    ) -> None:
        make_entries(actor, count, employer="Acme", project="Atlas", tags=("a", "b", "c"))
        client.get(URL)

        # The token with its person, the entries with their names, the tags.
        with django_assert_num_queries(3):
            assert len(client.get(URL).json()["results"]) == count

    def test_reading_one_costs_as_much(self, client: Client, actor: Actor, django_assert_num_queries: Any) -> None:
        entry = make_entry(actor, tags=("a", "b"))
        client.get(f"{URL}{entry.id}/")

        with django_assert_num_queries(3):
            client.get(f"{URL}{entry.id}/")


def test_a_deleted_entry_is_not_listed_for_anyone(client: Client, colleague: Client, actor: Actor) -> None:
    entry = make_entry(actor, visibility=Visibility.TEAM)
    services.delete_entry(actor=actor, entry_id=entry.id, now=NOW)

    assert client.get(URL).json()["results"] == colleague.get(URL).json()["results"] == []
