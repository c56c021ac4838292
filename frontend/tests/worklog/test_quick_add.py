"""Quick add: from a line to an entry, in the modal and on its own page."""

import pytest
from django.test import Client

from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX, triggers_of
from tests.fakes.identity import refuse
from tests.fakes.server import Reply

PAGE = "/worklog/quick-add/"
KEY = "0f9f2a2e-5a53-4d3b-9d0a-6f1a2b3c4d5e"
FILLED = {
    "title": "Cut the run @acme #billing +python !2h",
    "occurred_on": "2026-11-20",
    "employer": "Globex",
    "project": "Billing",
    "tags": "Python, #speed, python",
    "impact": "Out before nine",
    "hours": "",
    "idempotency_key": KEY,
}


def sent(fake_backend: FakeBackend) -> dict[str, object]:
    body: dict[str, object] = fake_backend.calls_of("POST", "/api/worklogs/")[-1].body
    return body


def test_the_form_begins_with_today_and_the_names_used_last(signed_in: Client) -> None:
    form = signed_in.get(PAGE).context["form"]
    assert (form["employer"].value(), form["project"].value()) == ("Acme", "Billing")
    assert form["occurred_on"].value() is not None


def test_the_modal_offers_known_names_and_puts_the_cursor_into_what_was_done(signed_in: Client) -> None:
    page = signed_in.get(PAGE, headers=HTMX).content.decode()
    assert "<dialog" in page
    assert "<html" not in page
    assert '<option value="Employers">' in page
    assert 'name="title"' in page.split("autofocus")[0]


def test_the_form_opens_without_a_backend(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.stop()
    response = signed_in.get(PAGE, headers=HTMX)
    assert response.status_code == 200
    assert response.context["form"]["employer"].value() == ""


def test_saving_in_the_modal_leaves_the_page_where_it_is(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.post(PAGE, FILLED, headers=HTMX)
    assert response.status_code == 204
    made = fake_backend.entries[0]
    events = triggers_of(response)
    assert events["toast"]["undo_url"] == f"/worklog/{made['id']}/delete/"
    assert events["toast"]["link_url"] == f"/worklog/{made['id']}/"
    assert {"close-modal", "worklog-changed"} <= events.keys()


def test_what_the_line_says_wins_over_the_fields_and_tags_add_up(signed_in: Client, fake_backend: FakeBackend) -> None:
    signed_in.post(PAGE, FILLED, headers=HTMX)
    body = sent(fake_backend)
    assert body["title"] == "Cut the run"
    assert (body["employer"], body["project"], body["hours"]) == ("acme", "Billing", "2.00")
    assert body["tags"] == ["Python", "speed", "billing"]
    assert body["occurred_on"] == "2026-11-20"


def test_a_line_can_be_saved_word_for_word(signed_in: Client, fake_backend: FakeBackend) -> None:
    signed_in.post(PAGE, FILLED | {"is_verbatim": "on"}, headers=HTMX)
    assert sent(fake_backend)["title"] == FILLED["title"]
    assert sent(fake_backend)["employer"] == "Globex"


def test_the_wish_to_save_word_for_word_survives_a_refusal(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("POST", "/api/worklogs/", refuse(503, "unavailable", "Later."))
    page = signed_in.post(PAGE, FILLED | {"is_verbatim": "on"}, headers=HTMX).content.decode()
    assert 'name="is_verbatim"' in page


def test_the_key_of_the_form_travels_with_the_entry(signed_in: Client, fake_backend: FakeBackend) -> None:
    signed_in.post(PAGE, FILLED, headers=HTMX)
    assert fake_backend.calls_of("POST", "/api/worklogs/")[0].headers["idempotency-key"] == KEY


def test_without_scripts_saving_leads_to_the_worklog_with_an_undo(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.post(PAGE, FILLED, follow=True)
    made = fake_backend.entries[0]
    assert response.redirect_chain == [(f"/worklog/?saved={made['id']}", 302)]
    assert f'action="/worklog/{made["id"]}/delete/"' in response.content.decode()


def test_an_empty_title_is_said_beside_the_field(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.post(PAGE, FILLED | {"title": " "}, headers=HTMX)
    assert response.status_code == 422
    assert response.context["form"].errors["title"]
    assert fake_backend.calls_of("POST", "/api/worklogs/") == []


def test_without_scripts_a_refused_form_comes_back_as_a_page(signed_in: Client) -> None:
    response = signed_in.post(PAGE, FILLED | {"hours": "many"})
    assert response.status_code == 400
    assert "Out before nine" in response.content.decode()
    assert '<option value="Tags">' in response.content.decode()


def test_a_refusal_of_the_backend_is_said_beside_its_field(signed_in: Client, fake_backend: FakeBackend) -> None:
    fields = {"line": ["That is too long."], "tags": ["Use at most 20 tags."], "odd": ["Strange."]}
    fake_backend.answer_with("POST", "/api/worklogs/", refuse(400, "invalid", "Please check.", fields))
    errors = signed_in.post(PAGE, FILLED, headers=HTMX).context["form"].errors
    assert errors["title"] == ["That is too long."]
    assert errors["tags"] == ["Use at most 20 tags."]
    assert errors["__all__"] == ["Strange."]


@pytest.mark.parametrize("path", ["/api/worklogs/parse/", "/api/worklogs/"])
def test_nothing_typed_is_lost_without_a_backend_and_the_key_stays(
    signed_in: Client, fake_backend: FakeBackend, path: str
) -> None:
    fake_backend.answer_with("POST", path, refuse(503, "unavailable", "Later."))
    response = signed_in.post(PAGE, FILLED, headers=HTMX)
    page = response.content.decode()
    assert response.status_code == 422
    assert f'value="{KEY}"' in page
    assert 'value="Globex"' in page
    assert "What you typed is kept here" in page


def test_after_a_real_answer_the_next_try_has_a_new_key(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("POST", "/api/worklogs/", refuse(429, "rate_limited", "Slow down."))
    page = signed_in.post(PAGE, FILLED, headers=HTMX).content.decode()
    assert "Slow down." in page
    assert KEY not in page


def test_an_earlier_try_that_went_through_after_all_is_explained(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("POST", "/api/worklogs/", refuse(409, "idempotency_mismatch", "Mismatch."))
    response = signed_in.post(PAGE, FILLED)
    assert response.status_code == 409
    assert "was saved after all" in response.content.decode()


def test_a_key_that_is_not_ours_is_replaced(signed_in: Client, fake_backend: FakeBackend) -> None:
    signed_in.post(PAGE, FILLED | {"idempotency_key": "x\r\ny"}, headers=HTMX)
    assert len(fake_backend.calls_of("POST", "/api/worklogs/")[0].headers["idempotency-key"]) == 36


def test_a_dead_token_leads_to_sign_in(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.tokens.clear()
    response = signed_in.post(PAGE, FILLED, headers=HTMX)
    assert response.headers["HX-Redirect"].startswith("/accounts/login/")


def test_the_preview_shows_how_the_line_is_understood(signed_in: Client, fake_backend: FakeBackend) -> None:
    page = signed_in.post(f"{PAGE}preview/", FILLED, headers=HTMX).content.decode()
    assert "This will be saved" in page
    assert "acme" in page
    assert fake_backend.calls_of("POST", "/api/worklogs/") == []


def test_plain_words_need_no_preview(signed_in: Client) -> None:
    page = signed_in.post(f"{PAGE}preview/", {"title": "Wrote the plan"}, headers=HTMX).content.decode()
    assert page.strip() == ""


def test_an_empty_line_is_not_sent_to_the_parser(signed_in: Client, fake_backend: FakeBackend) -> None:
    assert signed_in.post(f"{PAGE}preview/", {"title": ""}, headers=HTMX).content.strip() == b""
    assert fake_backend.calls_of("POST", "/api/worklogs/parse/") == []


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (refuse(503, "unavailable", "Away."), "cannot be checked"),
        (refuse(400, "invalid", "The line is too long."), "The line is too long."),
    ],
)
def test_a_line_that_cannot_be_checked_says_so_quietly(
    signed_in: Client, fake_backend: FakeBackend, reply: Reply, said: str
) -> None:
    fake_backend.answer_with("POST", "/api/worklogs/parse/", reply)
    response = signed_in.post(f"{PAGE}preview/", FILLED, headers=HTMX)
    assert response.status_code == 200
    assert said in response.content.decode()


def test_a_dead_token_while_typing_leads_to_sign_in(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.tokens.clear()
    response = signed_in.post(f"{PAGE}preview/", FILLED, headers=HTMX)
    assert response.headers["HX-Redirect"].startswith("/accounts/login/")


def test_without_scripts_the_line_can_be_checked_before_saving(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.post(PAGE, FILLED | {"preview": "1"})
    assert response.status_code == 200
    assert "This will be saved" in response.content.decode()
    assert fake_backend.calls_of("POST", "/api/worklogs/") == []
