from datetime import UTC, date, datetime

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory


def render(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


def test_an_icon_is_silent_unless_it_has_a_label() -> None:
    assert 'aria-hidden="true"' in render('{% icon "plus" %}')
    assert 'role="img" aria-label="Add"' in render('{% icon "plus" label="Add" %}')


def test_a_button_takes_htmx_attributes() -> None:
    html = render('{% button "Add" kind="primary" hx_get=url disabled=True %}', url="/x/?a=1&b=2")
    assert '<button class="btn btn-primary" hx-get="/x/?a=1&amp;b=2" disabled type="button">' in html


def test_a_button_that_leads_somewhere_is_a_link() -> None:
    assert '<a class="btn btn-secondary" href="/x/">' in render('{% button "Go" href="/x/" %}')


def test_an_icon_button_keeps_its_name_for_screen_readers() -> None:
    html = render('{% button "Copy" icon="copy" is_icon_only=True %}')
    assert '<span class="visually-hidden">Copy</span>' in html


def test_an_unknown_amount_is_a_dash_that_says_so() -> None:
    assert "not known yet" in render("{% money micros %}", micros=None)


def test_an_amount_is_exact() -> None:
    assert render("{% money 372 %}").strip() == '<span class="money">$0.000372</span>'


@pytest.mark.parametrize(("state", "word"), [("failed", "Failed"), ("blocked", "reserve too low"), ("yellow", "Low")])
def test_a_state_has_a_word_and_an_icon(state: str, word: str) -> None:
    html = render("{% state_badge state %}", state=state)
    assert word in html
    assert "<svg" in html


def test_days_and_moments_carry_their_exact_value() -> None:
    assert 'datetime="2026-11-20"' in render("{% day value %}", value=date(2026, 11, 20))
    moment = datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert 'datetime="2026-11-20T08:00:00+00:00"' in render("{% ago value %}", value=moment)


class Specimen(forms.Form):
    title = forms.CharField(help_text="In a line.")
    body = forms.CharField(widget=forms.Textarea, required=False)
    kind = forms.ChoiceField(choices=[("a", "A")])
    sure = forms.BooleanField(label="Sure", required=False)


def test_a_field_ties_help_and_errors_to_its_input() -> None:
    html = render("{% field form.title %}", form=Specimen({"title": ""}))
    assert 'aria-describedby="id_title-help id_title-errors"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_title-errors"' in html


def test_fields_look_like_what_they_are() -> None:
    form = Specimen()
    assert 'class="form-select"' in render("{% field form.kind %}", form=form)
    assert 'class="form-check-input"' in render("{% field form.sure %}", form=form)
    assert 'rows="9"' in render("{% field form.body rows=9 %}", form=form)
    assert "optional" in render("{% field form.body %}", form=form)


def test_a_modal_has_a_title_and_holds_its_content() -> None:
    html = render('{% modal title="New entry" name="quick" %}<b>{{ word }}</b>{% endmodal %}', word="<x>")
    assert 'aria-labelledby="quick-title"' in html
    assert "<b>&lt;x&gt;</b>" in html


def test_load_more_keeps_the_filters() -> None:
    request = RequestFactory().get("/worklog/", {"q": "invoice"})
    html = render("{% load_more cursor %}", request=request, cursor="abc=")
    assert 'hx-get="/worklog/?q=invoice&amp;cursor=abc%3D"' in html


def test_load_more_on_the_last_page_is_nothing() -> None:
    request = RequestFactory().get("/worklog/")
    assert render("{% load_more cursor %}", request=request, cursor=None).strip() == ""


def test_a_confirmation_names_the_thing_and_posts() -> None:
    source = '{% confirm_dialog "drop" title="Delete “X”?" text="Gone." action="/x/" label="Delete" %}'
    html = render(source, csrf_token="t0ken")
    assert "Delete “X”?" in html
    assert 'method="post" action="/x/"' in html
    assert 'value="t0ken"' in html


def test_text_filters() -> None:
    assert render("{{ 372|as_money }} {{ 1240|as_count }} {{ '**x**'|as_markdown }}") == (
        "$0.000372 1.2K <p><strong>x</strong></p>\n"
    )


@pytest.mark.parametrize(("dollars", "text"), [("4.20", "$4.20"), ("-0.15", "−$0.15")])  # noqa: RUF001 - a true minus
def test_the_api_s_dollars_get_their_signs(dollars: str, text: str) -> None:
    assert render("{% status_dollars dollars %}", dollars=dollars) == text


def test_django_s_error_messages_look_like_danger() -> None:
    assert "tone-danger" in render('{% toast "No." "error" %}')
