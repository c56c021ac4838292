"""The page of an entry: reading, editing, history, deleting."""

import pytest
from django.test import Client

from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX, triggers_of
from tests.fakes.identity import refuse
from tests.fakes.shapes import Json

KEY = "0f9f2a2e-5a53-4d3b-9d0a-6f1a2b3c4d5e"
EDITED = {
    "title": "Cut the run to six minutes",
    "occurred_on": "2026-11-20",
    "tags": "sql",
    "body": "My *words*",
    "impact_before": "40",
    "visibility": "private",
    "status": "final",
    "version": "1",
    "idempotency_key": KEY,
}


@pytest.fixture
def entry(fake_backend: FakeBackend) -> Json:
    made = shapes.entry(body="Batched the *queries*. <script>alert(1)</script> ![x](https://evil.example/x.png)")
    fake_backend.entries.append(made)
    return made


def test_notes_are_rendered_without_foreign_html_or_images(signed_in: Client, entry: Json) -> None:
    page = signed_in.get(f"/worklog/{entry['id']}/").content.decode()
    assert "<em>queries</em>" in page
    assert "<script>alert" not in page
    assert "<img src=" not in page.split("Notes")[1]


def test_figures_stand_beside_the_impact(signed_in: Client, entry: Json) -> None:
    page = signed_in.get(f"/worklog/{entry['id']}/").content.decode()
    assert "Run time" in page
    assert '<span class="figure">40</span>' in page


def test_history_shows_what_each_save_changed(signed_in: Client, entry: Json, fake_backend: FakeBackend) -> None:
    first = {"title": "Cut the run", "hours": "2.00", "tags": ["sql"], "visibility": "private"}
    second = first | {"hours": "3", "tags": [], "visibility": "team"}
    fake_backend.versions.extend([shapes.version(1, first), shapes.version(2, second, editor=None)])
    page = signed_in.get(f"/worklog/{entry['id']}/").content.decode()
    assert "2 versions" in page
    assert "Everyone in my tenant" in page
    assert "(empty)" in page


def test_those_who_may_not_edit_are_not_offered_it(signed_in: Client, entry: Json) -> None:
    entry |= {"can_edit": False, "can_delete": False}
    page = signed_in.get(f"/worklog/{entry['id']}/").content.decode()
    assert "/edit/" not in page
    assert "/delete/" not in page


def test_an_entry_that_is_not_there_is_404(signed_in: Client) -> None:
    assert signed_in.get(f"/worklog/{shapes.new_id()}/").status_code == 404


def test_the_edit_form_begins_with_the_entry(signed_in: Client, entry: Json) -> None:
    form = signed_in.get(f"/worklog/{entry['id']}/edit/").context["form"]
    assert form["title"].value() == entry["title"]
    assert (form["hours"].value(), form["tags"].value()) == ("2", "python, performance")


def test_saving_an_edit_leads_back_to_the_entry(signed_in: Client, entry: Json, fake_backend: FakeBackend) -> None:
    response = signed_in.post(f"/worklog/{entry['id']}/edit/", EDITED, follow=True)
    assert response.redirect_chain == [(f"/worklog/{entry['id']}/", 302)]
    assert "Your changes are saved." in response.content.decode()
    call = fake_backend.calls_of("PATCH", f"/api/worklogs/{entry['id']}/")[0]
    assert (call.body["version"], call.body["impact_before"], call.body["hours"]) == (1, "40", None)
    assert call.headers["idempotency-key"] == KEY


def test_an_unreadable_figure_is_said_beside_its_field(signed_in: Client, entry: Json) -> None:
    response = signed_in.post(f"/worklog/{entry['id']}/edit/", EDITED | {"impact_before": "forty"})
    assert response.status_code == 400
    assert response.context["form"].errors["impact_before"]
    assert "My *words*" in response.content.decode()


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (400, "invalid", "No."),
        (403, "forbidden", "No."),
        (409, "idempotency_mismatch", "was saved after all"),
        (503, "unavailable", "What you typed is kept here"),
    ],
)
def test_a_refused_edit_keeps_what_was_typed(
    signed_in: Client, entry: Json, fake_backend: FakeBackend, status: int, code: str, said: str
) -> None:
    fake_backend.answer_with("PATCH", f"/api/worklogs/{entry['id']}/", refuse(status, code, "No."))
    response = signed_in.post(f"/worklog/{entry['id']}/edit/", EDITED)
    page = response.content.decode()
    assert response.status_code == status
    assert said in page
    assert "My *words*" in page
    assert (KEY in page) is (status == 503)


def test_an_edit_survives_a_backend_that_is_gone(signed_in: Client, entry: Json, fake_backend: FakeBackend) -> None:
    fake_backend.stop()
    response = signed_in.post(f"/worklog/{entry['id']}/edit/", EDITED)
    assert response.status_code == 503
    assert "My *words*" in response.content.decode()


def test_somebody_elses_edit_is_shown_beside_mine(signed_in: Client, entry: Json) -> None:
    entry |= {"version": 4, "title": "Their title"}
    response = signed_in.post(f"/worklog/{entry['id']}/edit/", EDITED)
    page = response.content.decode()
    assert response.status_code == 409
    assert "Their title" in page
    assert f'value="{EDITED["title"]}"' in page
    assert '<input type="hidden" name="version" value="4">' in page


def test_sending_again_after_a_conflict_replaces_what_is_saved(
    signed_in: Client, entry: Json, fake_backend: FakeBackend
) -> None:
    entry |= {"version": 4}
    shown = signed_in.post(f"/worklog/{entry['id']}/edit/", EDITED).context["editing"]
    again = EDITED | {"version": str(shown.version), "idempotency_key": shown.key}
    assert signed_in.post(f"/worklog/{entry['id']}/edit/", again).status_code == 302
    assert entry["title"] == EDITED["title"]


@pytest.mark.parametrize("version", ["", "one", "-1", "9" * 12])
def test_a_form_without_a_version_overwrites_nothing(signed_in: Client, entry: Json, version: str) -> None:
    response = signed_in.post(f"/worklog/{entry['id']}/edit/", EDITED | {"version": version})
    assert response.status_code == 409


def test_the_same_text_twice_is_no_difference(signed_in: Client, entry: Json) -> None:
    form = signed_in.get(f"/worklog/{entry['id']}/edit/").context["form"]
    same = {name: form[name].value() or "" for name in form.fields} | {"version": "7"}
    assert "The two texts are the same." in signed_in.post(f"/worklog/{entry['id']}/edit/", same).content.decode()


def test_a_dead_token_while_editing_leads_to_sign_in(signed_in: Client, entry: Json, fake_backend: FakeBackend) -> None:
    fake_backend.tokens.clear()
    response = signed_in.post(f"/worklog/{entry['id']}/edit/", EDITED)
    assert response.headers["Location"].startswith("/accounts/login/")


def test_deleting_offers_the_way_back(signed_in: Client, entry: Json) -> None:
    response = signed_in.post(f"/worklog/{entry['id']}/delete/")
    assert response.headers["Location"] == f"/worklog/?deleted={entry['id']}"
    assert entry["is_deleted"]


def test_the_undo_of_a_toast_deletes_and_offers_its_own_undo(signed_in: Client, entry: Json) -> None:
    response = signed_in.post(f"/worklog/{entry['id']}/delete/", headers=HTMX)
    events = triggers_of(response)
    assert response.status_code == 204
    assert events["toast"]["undo_url"] == f"/worklog/{entry['id']}/restore/"
    assert "worklog-changed" in events


def test_restoring_brings_the_entry_back(signed_in: Client, entry: Json) -> None:
    entry |= {"is_deleted": True}
    response = signed_in.post(f"/worklog/{entry['id']}/restore/", follow=True)
    assert response.redirect_chain == [(f"/worklog/{entry['id']}/", 302)]
    assert "is back" in response.content.decode()


def test_restoring_from_a_toast_refreshes_the_list(signed_in: Client, entry: Json) -> None:
    assert "worklog-changed" in triggers_of(signed_in.post(f"/worklog/{entry['id']}/restore/", headers=HTMX))
