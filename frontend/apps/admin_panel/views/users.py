"""People, for staff: who they are, and what may be done about their accounts."""

from collections.abc import Callable
from typing import Literal
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_safe

from apps.admin_panel.forms import UserChangeForm, UserFilterForm
from apps.backend.staff import UserRow
from apps.shell.acts import Act, ReasonForm, bound, run_act
from apps.shell.client import get_backend_client
from apps.shell.pages import answer, lead_to, next_page_url


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Newest first. For HTMX: the filtered list, or with a cursor its next rows."""
    form, cursor = UserFilterForm(request.GET), request.GET.get("cursor")
    users = get_backend_client(request).staff.users(
        q=form.words, is_staff=form.flag("is_staff"), is_active=form.flag("is_active"), cursor=cursor
    )
    return answer(
        request,
        page="admin_panel/users.html",
        fragment="admin_panel/partials/user_rows.html" if cursor else "admin_panel/partials/users.html",
        context={"form": form, "users": users, "more_url": next_page_url(request, users.next_cursor)},
    )


@require_safe
def detail(request: HttpRequest, user_id: UUID) -> HttpResponse:
    found = get_backend_client(request).staff.user(user_id)
    return TemplateResponse(request, "admin_panel/user.html", {"person": found})


@require_http_methods(["GET", "HEAD", "POST"])
def change_active(request: HttpRequest, user_id: UUID) -> HttpResponse:
    return _switch(
        request,
        user_id,
        flag="is_active",
        act_of=lambda person: _close_act(person) if person.is_active else _open_act(person),
        sentence_of=lambda changed: f"The account is {'open' if changed.is_active else 'closed'} now.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def change_staff(request: HttpRequest, user_id: UUID) -> HttpResponse:
    return _switch(
        request,
        user_id,
        flag="is_staff",
        act_of=lambda person: _unmake_staff_act(person) if person.is_staff else _make_staff_act(person),
        sentence_of=lambda changed: f"{changed.username} is {'staff' if changed.is_staff else 'not staff any more'}.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def send_reset(request: HttpRequest, user_id: UUID) -> HttpResponse:
    client = get_backend_client(request)
    person = client.staff.user(user_id)
    act = _act(
        person,
        title=f"Send {person.username} a link to a new password?",
        label="Send the mail",
        lines=(
            f"It goes to {person.email}. Nobody else sees the link.",
            "The present password stays until it is used.",
        ),
        kind="primary",
    )
    return _run_with_reason(request, act, user_id, done="The mail is on its way.", do=client.staff.send_reset)


@require_http_methods(["GET", "HEAD", "POST"])
def end_sessions(request: HttpRequest, user_id: UUID) -> HttpResponse:
    client = get_backend_client(request)
    person = client.staff.user(user_id)
    act = _act(
        person,
        title=f"Sign {person.username} out everywhere?",
        label="Sign out everywhere",
        lines=(f"{person.session_count} sessions and {person.token_count} personal tokens end at once.",),
    )
    done = f"{person.username} is signed out everywhere."
    return _run_with_reason(request, act, user_id, done=done, do=client.staff.end_sessions)


@require_http_methods(["GET", "HEAD", "POST"])
def reset_second_factor(request: HttpRequest, user_id: UUID) -> HttpResponse:
    client = get_backend_client(request)
    person = client.staff.user(user_id)
    act = _act(
        person,
        title=f"Take the second factor of {person.username} away?",
        label="Reset second factor",
        lines=(
            "App, security keys and recovery codes end: the password alone opens the account.",
            "They are signed out everywhere and told by mail.",
            "First make sure by another way that it is them who asks.",
        ),
    )
    done = f"{person.username} has no second factor any more."
    return _run_with_reason(request, act, user_id, done=done, do=client.staff.reset_second_factor)


def _switch(
    request: HttpRequest,
    user_id: UUID,
    *,
    flag: Literal["is_active", "is_staff"],
    act_of: Callable[[UserRow], Act],
    sentence_of: Callable[[UserRow], str],
) -> HttpResponse:
    """Turn one of a person's flags to what the form said it would become."""
    client = get_backend_client(request)
    person = client.staff.user(user_id)
    form = bound(request, UserChangeForm, value="off" if getattr(person, flag) else "on")

    def do(key: str) -> HttpResponse:
        values = form.cleaned_data
        changes: dict[str, bool] = {flag: values["value"]}
        changed = client.staff.change_user(user_id, **changes, reason=values["reason"], idempotency_key=key)
        return _done(request, user_id, sentence_of(changed))

    return run_act(request, act_of(person), form, do, renames={flag: "value"})


def _run_with_reason(
    request: HttpRequest, act: Act, user_id: UUID, *, done: str, do: Callable[..., None]
) -> HttpResponse:
    form = bound(request, ReasonForm)

    def act_now(key: str) -> HttpResponse:
        do(user_id, reason=form.cleaned_data["reason"], idempotency_key=key)
        return _done(request, user_id, done)

    return run_act(request, act, form, act_now)


def _close_act(person: UserRow) -> Act:
    lines = ("All sessions and tokens end at once.", "Nothing is deleted; the account can be opened again.")
    return _act(person, title=f"Close the account of {person.username}?", label="Close account", lines=lines)


def _open_act(person: UserRow) -> Act:
    lines = ("They can sign in again. Sessions and tokens that had ended stay ended.",)
    title = f"Open the account of {person.username} again?"
    return _act(person, title=title, label="Open account", lines=lines, kind="primary")


def _make_staff_act(person: UserRow) -> Act:
    lines = (
        "They see every account, every tenant, the whole audit and what people let support see.",
        "They need a second factor before any staff page opens.",
    )
    return _act(person, title=f"Make {person.username} staff?", label="Make staff", lines=lines)


def _unmake_staff_act(person: UserRow) -> Act:
    lines = ("Staff pages and Django admin close to them at once.",)
    return _act(person, title=f"Take the staff rights of {person.username}?", label="Take rights", lines=lines)


def _act(person: UserRow, *, title: str, label: str, lines: tuple[str, ...], kind: str = "danger") -> Act:
    back_path = resolve_url("admin_panel:user", person.id)
    return Act(title=title, label=label, lines=lines, kind=kind, back_path=back_path)


def _done(request: HttpRequest, user_id: UUID, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return lead_to(request, resolve_url("admin_panel:user", user_id))
