"""Entries over HTTP."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from apps.common.clock import now
from apps.tenants.types import Actor, Role
from apps.worklog.models import WorkLog
from apps.worklog.types import Visibility
from tests.api_client import Client, anonymous, client_for, with_key
from tests.factories.accounts import make_actor
from tests.factories.worklog import make_entry

pytestmark = pytest.mark.django_db

URL = "/api/worklogs/"


def url_of(entry: WorkLog, tail: str = "") -> str:
    return f"{URL}{entry.id}/{tail}"


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.fixture
def client(actor: Actor) -> Client:
    return client_for(actor)


@pytest.fixture
def colleague(actor: Actor) -> Client:
    return client_for(make_actor(tenant=actor.tenant, role=Role.MEMBER))


# One id for every run: the workers of a parallel run must collect the same names.
NOT_THERE = "01890000-0000-7000-8000-000000000000"


class TestWhoMayCall:
    @pytest.mark.parametrize(
        ("method", "tail"),
        [
            ("get", ""),
            ("post", ""),
            ("get", f"{NOT_THERE}/"),
            ("patch", f"{NOT_THERE}/"),
            ("delete", f"{NOT_THERE}/"),
            ("post", f"{NOT_THERE}/restore/"),
            ("get", f"{NOT_THERE}/versions/"),
            ("post", "parse/"),
            ("get", "defaults/"),
        ],
    )
    def test_nobody_without_a_token(self, method: str, tail: str) -> None:
        answer = getattr(anonymous(), method)(URL + tail)

        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    @pytest.mark.parametrize(
        ("method", "tail"), [("get", ""), ("patch", ""), ("delete", ""), ("post", "restore/"), ("get", "versions/")]
    )
    def test_an_entry_of_another_tenant_is_not_there(self, actor: Actor, method: str, tail: str) -> None:
        entry = make_entry(actor, visibility=Visibility.TEAM)
        answer = getattr(client_for(make_actor()), method)(url_of(entry, tail))

        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize(
        ("method", "tail"), [("patch", ""), ("delete", ""), ("post", "restore/"), ("get", "versions/")]
    )
    def test_a_colleagues_shared_entry_is_theirs(self, actor: Actor, colleague: Client, method: str, tail: str) -> None:
        entry = make_entry(actor, visibility=Visibility.TEAM)
        answer = getattr(colleague, method)(url_of(entry, tail))

        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    def test_a_colleague_reads_a_shared_entry_without_the_right_to_change_it(
        self, actor: Actor, colleague: Client
    ) -> None:
        body = colleague.get(url_of(make_entry(actor, visibility=Visibility.TEAM))).json()

        assert (body["can_edit"], body["can_delete"]) == (False, False)


class TestCreating:
    def test_needs_only_a_title(self, client: Client, actor: Actor) -> None:
        answer = client.post(URL, {"title": "Shipped it"})

        assert answer.status_code == 201
        assert answer.json() == {
            "id": answer.json()["id"],
            "occurred_on": now().date().isoformat(),
            "title": "Shipped it",
            "body": "",
            "employer": "",
            "project": "",
            "role": "",
            "tags": [],
            "impact": "",
            "impact_metric": "",
            "impact_before": None,
            "impact_after": None,
            "impact_unit": "",
            "hours": None,
            "visibility": "private",
            "status": "final",
            "version": 1,
            "author": {"id": str(actor.user_id), "username": actor.username},
            "is_deleted": False,
            "created_at": answer.json()["created_at"],
            "updated_at": answer.json()["created_at"],
            "can_edit": True,
            "can_delete": True,
        }

    def test_gives_back_all_that_it_was_given(self, client: Client) -> None:
        wish = {
            "title": "Cut the invoice run",
            "occurred_on": "2026-11-02",
            "body": "**How**\n\n- batched",
            "employer": "Acme",
            "project": "Billing",
            "role": "Lead",
            "tags": ["finance", "python"],
            "impact": "Month end a day earlier",
            "impact_metric": "run time",
            "impact_before": "40",
            "impact_after": "6.5",
            "impact_unit": "min",
            "hours": "2.25",
            "visibility": "team",
            "status": "draft",
        }
        body = client.post(URL, wish).json()

        assert {name: body[name] for name in wish} == wish

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("title", ""),
            ("title", None),
            ("title", "x" * 201),
            ("title", {"a": 1}),
            ("title", "nul \x00"),
            ("title", "bell \x07"),
            ("title", "\u200b"),
            ("occurred_on", "2026-02-30"),
            ("occurred_on", "1066-10-14"),
            ("occurred_on", "2026-11-02T10:00:00Z"),
            ("body", "x" * 20_001),
            ("employer", "x" * 81),
            ("project", "\u200b"),
            ("role", "x" * 121),
            ("impact", "x" * 1_001),
            ("impact_before", "NaN"),
            ("impact_after", "1e30"),
            ("hours", "-1"),
            ("hours", "0.001"),
            ("hours", 1000.5),
            ("tags", "ops"),
            ("tags", [f"t{number}" for number in range(21)]),
            ("visibility", "world"),
            ("status", "done"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, client: Client, field: str, value: Any) -> None:
        answer = client.post(URL, {"title": "Fine", field: value})

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        assert list(answer.json()["fields"]) == [field]

    def test_says_which_tag_is_wrong(self, client: Client) -> None:
        answer = client.post(URL, {"title": "Fine", "tags": ["ok", ""]})

        assert list(answer.json()["fields"]) == ["tags.1"]

    def test_refuses_what_is_no_object(self, client: Client) -> None:
        assert client.post(URL, ["title"]).status_code == 400

    def test_what_is_not_the_persons_to_set_is_ignored(self, client: Client, actor: Actor) -> None:
        stranger = make_actor()
        body = client.post(
            URL,
            {
                "title": "Mine",
                "id": str(uuid4()),
                "tenant": str(stranger.tenant),
                "tenant_id": str(stranger.tenant),
                "author": {"id": str(stranger.user_id)},
                "author_id": str(stranger.user_id),
                "version": 7,
                "is_deleted": True,
                "deleted_at": "2026-01-01T00:00:00Z",
                "created_at": "2001-01-01T00:00:00Z",
                "unheard_of": 1,
            },
        ).json()

        entry = WorkLog.objects.get(id=body["id"])
        assert (entry.tenant_id, entry.author_id, entry.version) == (actor.tenant, actor.user_id, 1)
        assert entry.deleted_at is None
        assert entry.created_at.year > 2001

    def test_a_repeat_with_the_same_key_makes_one_entry(self, client: Client) -> None:
        answers = [client.post(URL, {"title": "Once"}, **with_key("k1")) for _ in range(2)]

        assert answers[0].json() == answers[1].json()
        assert answers[1].headers["Idempotent-Replayed"] == "true"
        assert WorkLog.objects.count() == 1


class TestEditing:
    def test_changes_what_is_named(self, client: Client, actor: Actor) -> None:
        entry = make_entry(actor, "Old", employer="Acme", tags=("a",))
        answer = client.patch(url_of(entry), {"title": "New", "hours": "1.5", "version": 1})

        body = answer.json()
        assert (answer.status_code, body["title"], body["hours"], body["version"]) == (200, "New", "1.50", 2)
        assert (body["employer"], body["tags"]) == ("Acme", ["a"])

    def test_empties_what_is_emptied(self, client: Client, actor: Actor) -> None:
        entry = make_entry(actor, employer="Acme", tags=("a",), hours=Decimal(1))
        body = client.patch(url_of(entry), {"employer": "", "tags": [], "hours": None}).json()

        assert (body["employer"], body["tags"], body["hours"]) == ("", [], None)

    def test_another_version_is_a_conflict(self, client: Client, actor: Actor) -> None:
        entry = make_entry(actor)
        answer = client.patch(url_of(entry), {"title": "New", "version": 2})

        assert (answer.status_code, answer.json()["code"]) == (409, "version_conflict")

    def test_refuses_what_creating_refuses(self, client: Client, actor: Actor) -> None:
        answer = client.patch(url_of(make_entry(actor)), {"title": " ", "version": "x"})

        assert (answer.status_code, set(answer.json()["fields"])) == (400, {"title", "version"})

    def test_tenant_and_author_stay(self, client: Client, actor: Actor) -> None:
        entry, stranger = make_entry(actor), make_actor()
        client.patch(url_of(entry), {"tenant_id": str(stranger.tenant), "author_id": str(stranger.user_id)})

        entry.refresh_from_db()
        assert (entry.tenant_id, entry.author_id, entry.version) == (actor.tenant, actor.user_id, 1)

    def test_shows_how_it_read_before(self, client: Client, actor: Actor) -> None:
        entry = make_entry(actor, "Old")
        client.patch(url_of(entry), {"title": "New"})

        rows = client.get(url_of(entry, "versions/")).json()["results"]
        assert [(row["version"], row["snapshot"]["title"]) for row in rows] == [(2, "New"), (1, "Old")]
        assert rows[0]["editor"] == {"id": str(actor.user_id), "username": actor.username}


class TestDeleting:
    def test_hides_and_restores(self, client: Client, actor: Actor) -> None:
        entry = make_entry(actor)
        assert client.delete(url_of(entry)).status_code == 204
        assert client.get(url_of(entry)).status_code == 404

        answer = client.post(url_of(entry, "restore/"))
        assert (answer.status_code, answer.json()["is_deleted"]) == (200, False)
        assert client.get(url_of(entry)).status_code == 200

    def test_a_repeat_with_the_same_key_answers_the_same(self, client: Client, actor: Actor) -> None:
        entry = make_entry(actor)
        answers = [client.delete(url_of(entry), **with_key("k1")).status_code for _ in range(2)]

        assert answers == [204, 204]

    def test_what_is_gone_cannot_be_deleted_again(self, client: Client, actor: Actor) -> None:
        entry = make_entry(actor)
        client.delete(url_of(entry))

        assert client.delete(url_of(entry)).status_code == 404
