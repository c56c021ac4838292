"""The people of the tenant: who they are, and what may be done about them."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts import once, services
from apps.accounts.models import User
from apps.backend.client import BackendClient
from apps.backend.errors import Forbidden
from apps.backend.pages import Page
from apps.backend.passkeys import Passkey
from apps.backend.tenant import Member, MemberDetails
from apps.backend.together import together
from apps.shell.acts import Act, Confirmation, bound, run_act
from apps.shell.client import get_backend_client
from apps.shell.pages import lead_to
from apps.tenant.forms import ROLES, RoleForm, TenantNameForm
from apps.tenant.views.invitations import NEW_INVITATION

LAST_OWNER = (
    "You are the only owner, so you cannot leave the others behind. Hand the tenant over to one of them first, or "
    "make a second owner."
)
ALONE = "You are alone in this tenant. To go for good, delete your account under “My data”."


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Everybody, and for owners the open invitations; right after one is made also its key, this once."""
    client = get_backend_client(request)
    tenant, members, invitations = together(client.tenant.get, client.tenant.members, lambda: _invitations(client))
    context = {
        "tenant": tenant,
        "members": members,
        "invitations": invitations,
        "is_owner": invitations is not None,
        "made": once.take(request, NEW_INVITATION) if request.method == "GET" else None,
        "stay_text": ALONE if tenant.member_count == 1 else LAST_OWNER,
    }
    return TemplateResponse(request, "tenant/members.html", context)


def _invitations(client: BackendClient) -> Page[Passkey] | None:
    """None for those who may not invite; only the backend says who they are."""
    try:
        return client.tenant.passkeys(state="active")
    except Forbidden as error:
        if type(error) is not Forbidden:
            raise
        return None


@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest) -> HttpResponse:
    client = get_backend_client(request)
    tenant = client.tenant.get()
    act = Act(title="Rename the tenant", label="Save name", kind="primary", back_path=resolve_url("tenant:members"))
    form = bound(request, TenantNameForm, name=tenant.name)

    def do(key: str) -> HttpResponse:
        renamed = client.tenant.rename(name=form.cleaned_data["name"], idempotency_key=key)
        _mirror(request, client)
        return _back(request, f"The tenant is called “{renamed.name}” now.")

    return run_act(request, act, form, do)


@require_http_methods(["GET", "HEAD", "POST"])
def change_role(request: HttpRequest, user_id: UUID) -> HttpResponse:
    client = get_backend_client(request)
    member = client.tenant.member(user_id)
    form = bound(request, RoleForm, role="member" if member.role == "owner" else "owner")

    def do(key: str) -> HttpResponse:
        changed = client.tenant.change_role(user_id, role=form.cleaned_data["role"], idempotency_key=key)
        _mirror(request, client)
        who = "You are" if changed.is_you else f"{changed.shown} is"
        return _back(request, f"{who} {_a_role(changed.role)} now.")

    return run_act(request, _role_act(member), form, do)


def _role_act(member: MemberDetails) -> Act:
    rises = member.role != "owner"
    lines = (
        ("They can invite and remove people, change roles, and take your own role away.", "They see the audit.")
        if rises
        else ("They keep their entries and reports.", "People, the audit and the tenant's settings close to them.")
    )
    title = f"Make {member.shown} {_a_role('owner' if rises else 'member')}?"
    if member.is_you:
        title = "Step down to member?"
        lines = ("You keep your entries and reports.", "Only another owner can make you an owner again.")
    label = "Make owner" if rises else "Make member"
    return Act(
        title=title,
        lines=lines,
        label=label,
        kind="primary" if rises else "danger",
        back_path=resolve_url("tenant:members"),
    )


def _a_role(role: str) -> str:
    article = "an" if role[0] in "aeiou" else "a"
    return f"{article} {dict(ROLES).get(role, role).lower()}"


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Take somebody out; for oneself: leave, which ends this session too."""
    client = get_backend_client(request)
    member = client.tenant.member(user_id)
    act = Act(
        title="Leave the tenant?" if member.is_you else f"Remove {member.shown}?",
        lines=member.consequences,
        label="Leave" if member.is_you else f"Remove {member.username}",
        back_path=resolve_url("tenant:members"),
    )

    def do(key: str) -> HttpResponse:
        client.tenant.remove(user_id, idempotency_key=key)
        return _have_left(request) if member.is_you else _back(request, f"{member.shown} is removed.")

    return run_act(request, act, bound(request, Confirmation), do)


def _have_left(request: HttpRequest) -> HttpResponse:
    logout(request)
    messages.success(request, "You have left. Sign in again to go on in a tenant of your own.")
    return lead_to(request, resolve_url("account_login"))


@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Another person becomes the owner in one's own place."""
    client = get_backend_client(request)
    member: Member = client.tenant.member(user_id)
    act = Act(
        title=f"Hand the tenant over to {member.shown}?",
        lines=(
            f"{member.shown} becomes an owner and runs people, money and settings.",
            "You become a member. Only an owner can make you one again.",
            "Open invitations that you have made end.",
        ),
        label="Hand over",
        back_path=resolve_url("tenant:members"),
    )

    def do(key: str) -> HttpResponse:
        client.tenant.hand_over(user_id, idempotency_key=key)
        _mirror(request, client)
        return _back(request, f"{member.shown} runs the tenant now.")

    return run_act(request, act, bound(request, Confirmation), do)


def _mirror(request: HttpRequest, client: BackendClient) -> None:
    services.mirror_profile(user=cast("User", request.user), me=client.me.get(), now=timezone.now())


def _back(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return lead_to(request, resolve_url("tenant:members"))
