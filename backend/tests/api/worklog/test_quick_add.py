"""What the quick-add window needs, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from apps.common.clock import now
from apps.tenants.types import Actor
from apps.worklog.models import Tag, WorkLog
from tests.api_client import Client, anonymous, client_for, with_key
from tests.factories.accounts import make_actor
from tests.factories.worklog import make_entry

pytestmark = pytest.mark.django_db

NAME_URLS = ["/api/employers/", "/api/projects/", "/api/tags/"]


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.fixture
def client(actor: Actor) -> Client:
    return client_for(actor)


class TestParsing:
    def test_reads_a_line_and_saves_nothing(self, client: Client) -> None:
        line = "Cut invoice run from 40 to 6 min @acme /atlas #billing +python !2h"
        answer = client.post("/api/worklogs/parse/", {"line": line})

        assert answer.status_code == 200
        assert answer.json() == {
            "title": "Cut invoice run from 40 to 6 min",
            "occurred_on": now().date().isoformat(),
            "employer": "acme",
            "project": "atlas",
            "tags": ["billing"],
            "skills": ["python"],
            "hours": "2.00",
            "impact": "from 40 to 6 min",
        }
        assert not WorkLog.objects.exists()
        assert not Tag.objects.exists()

    def test_yesterday_is_the_persons_yesterday(self) -> None:
        # The two ends of the world are never on the same day.
        days = {}
        for zone in ("Pacific/Kiritimati", "Pacific/Niue"):
            client = client_for(make_actor(time_zone=zone))
            days[zone] = client.post("/api/worklogs/parse/", {"line": "Did it yesterday"}).json()["occurred_on"]

        assert days["Pacific/Kiritimati"] > days["Pacific/Niue"]

    @pytest.mark.parametrize("body", [{}, {"line": ""}, {"line": "x" * 1_001}, {"line": None}])
    def test_needs_a_line_of_decent_length(self, client: Client, body: dict[str, Any]) -> None:
        answer = client.post("/api/worklogs/parse/", body)

        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["line"])


def test_defaults_are_what_the_person_used_last(client: Client, actor: Actor) -> None:
    make_entry(actor, employer="Acme", now=now() - timedelta(days=1))
    make_entry(actor, project="Atlas", tags=("b", "a"), now=now())

    body = client.get("/api/worklogs/defaults/").json()
    assert body == {"employer": "Acme", "project": "Atlas", "tags": ["a", "b"]}


@pytest.mark.parametrize("url", NAME_URLS)
class TestNames:
    def test_are_for_the_signed_in(self, url: str) -> None:
        assert anonymous().get(url).status_code == anonymous().post(url, {"name": "x"}).status_code == 401

    def test_are_made_once_and_listed(self, client: Client, url: str) -> None:
        answers = [client.post(url, {"name": name}) for name in ("Zeta", "alpha", "ALPHA")]

        assert [answer.status_code for answer in answers] == [201, 201, 201]
        assert answers[1].json() == answers[2].json()
        assert [row["name"] for row in client.get(url).json()["results"]] == ["alpha", "Zeta"]

    def test_page(self, client: Client, url: str) -> None:
        for name in "abc":
            client.post(url, {"name": name})

        page = client.get(url, {"page_size": 2}).json()
        assert [row["name"] for row in client.get(page["next"]).json()["results"]] == ["c"]

    @pytest.mark.parametrize("name", ["", None, "x" * 81, "\u200b", "\x07a"])
    def test_refuse_what_is_no_name(self, client: Client, url: str, name: str | None) -> None:
        answer = client.post(url, {"name": name})

        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["name"])

    def test_replay(self, client: Client, url: str) -> None:
        first, second = (client.post(url, {"name": "Acme"}, **with_key("k")) for _ in range(2))

        assert first.json() == second.json()

    def test_of_strangers_stay_out_of_sight(self, client: Client, url: str) -> None:
        client_for(make_actor()).post(url, {"name": "MARKER"})

        assert client.get(url).json()["results"] == []

    def test_cost_two_queries(self, client: Client, url: str, django_assert_num_queries: Any) -> None:
        client.get(url)
        with django_assert_num_queries(2):
            client.get(url)
