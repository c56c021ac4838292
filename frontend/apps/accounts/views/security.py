"""Password, second factor and sessions on one page, and the end of sessions."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_safe

from apps.backend.sessions import Session
from apps.backend.together import together
from apps.shell.client import get_backend_client
from apps.shell.questions import Question, ask_first


@require_safe
def security(request: HttpRequest) -> HttpResponse:
    client = get_backend_client(request)
    factors, sessions = together(client.second_factor.get, client.sessions.list)
    # This device first, then by last use: what is strange stands at the top of the rest.
    ordered = sorted(sessions, key=lambda one: (one.is_current, one.last_used_at or one.created_at), reverse=True)
    return TemplateResponse(request, "accounts/security.html", {"factors": factors, "sessions": ordered})


@require_http_methods(["GET", "HEAD", "POST"])
def end_session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Sign out one other device; the present one has Log out."""
    client = get_backend_client(request)
    found = next((one for one in client.sessions.list() if one.id == session_id and not one.is_current), None)
    if found is None:
        raise Http404
    if request.method != "POST":
        return ask_first(request, _question_about(found))
    client.sessions.revoke(session_id)
    messages.success(request, f"{found.device or found.name} is signed out.")
    return redirect("accounts:security")


def _question_about(session: Session) -> Question:
    return Question(
        title=f"Sign out {session.device or session.name}?",
        text="It has to sign in again before it sees anything more. If you do not know this device, change your "
        "password as well.",
        label="Sign it out",
        keep_label="Leave it",
        back_path=resolve_url("accounts:security"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def end_all_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere, here too."""
    if request.method != "POST":
        question = Question(
            title="Sign out everywhere?",
            text="Every browser has to sign in again, this one too. Personal API tokens end as well.",
            label="Sign out everywhere",
            keep_label="Stay",
            back_path=resolve_url("accounts:security"),
        )
        return ask_first(request, question)
    get_backend_client(request).auth.log_out_everywhere()
    logout(request)
    messages.success(request, "You are signed out everywhere.")
    return redirect("account_login")
