"""Over all tenants, for staff: people and customers, without anything that they wrote and without any secret."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from apps.accounts.types import TokenKind
from apps.common.errors import DomainError, Forbidden, NotFound
from apps.mfa.selectors import list_protected
from apps.tenants.models import Profile, Tenant
from apps.tenants.types import Actor, MemberRow, Person, PersonRow, Role, TenantName, TenantRow

_TOKENS = "user__auth_token_set"


def check_is_staff(actor: Actor) -> None:
    """Raises Forbidden, also for a borrowed view."""
    if not actor.is_staff or actor.grant_id is not None:
        raise Forbidden


def is_superuser(*, user_id: UUID) -> bool:
    """Whether nobody but a superuser may touch this person."""
    return get_user_model().objects.filter(pk=user_id, is_superuser=True).exists()


def list_people(
    *, actor: Actor, q: str = "", is_staff: bool | None = None, is_active: bool | None = None, now: datetime
) -> QuerySet[Profile]:
    """Everybody, the newest first, each with counts of what they are signed in with."""
    check_is_staff(actor)
    wanted = Q()
    for word in q.split():
        wanted &= (
            Q(user__username__icontains=word) | Q(user__email__icontains=word) | Q(user__display_name__icontains=word)
        )
    if is_staff is not None:
        wanted &= Q(user__is_staff=is_staff)
    if is_active is not None:
        wanted &= Q(user__is_active=is_active)
    live = Q(**{f"{_TOKENS}__expiry__gt": now}) | Q(**{f"{_TOKENS}__expiry": None})
    return (
        Profile.objects.filter(wanted)
        .select_related("user", "tenant")
        .annotate(
            last_active_at=Greatest(Max(f"{_TOKENS}__last_used_at"), "user__last_login"),
            session_count=_count_tokens(TokenKind.SESSION, live),
            token_count=_count_tokens(TokenKind.PERSONAL, live),
        )
        .order_by("-id")
    )


def _count_tokens(kind: TokenKind, live: Q) -> Count:
    return Count(_TOKENS, filter=Q(**{f"{_TOKENS}__kind": kind}) & live)


def get_person(*, actor: Actor, user_id: UUID, now: datetime) -> PersonRow:
    """One of them; raises NotFound."""
    profile = list_people(actor=actor, now=now).filter(user_id=user_id).first()
    if profile is None:
        raise NotFound
    return view_people(actor=actor, profiles=[profile])[0]


def view_people(*, actor: Actor, profiles: Sequence[Profile]) -> list[PersonRow]:
    """Rows of `list_people` as staff see them: two more queries, however many there are."""
    protected = list_protected(user_ids=[profile.user_id for profile in profiles])
    is_boss = is_superuser(user_id=actor.user_id)
    return [
        PersonRow(
            id=profile.user_id,
            username=profile.user.username,
            email=profile.user.email,
            display_name=profile.user.display_name,
            is_active=profile.user.is_active,
            is_staff=profile.user.is_staff,
            is_email_verified=profile.user.email_verified_at is not None,
            has_second_factor=profile.user_id in protected,
            tenant=TenantName(id=profile.tenant_id, name=profile.tenant.name),
            role=Role(profile.role),
            created_at=profile.user.date_joined,
            last_active_at=getattr(profile, "last_active_at", None),
            session_count=getattr(profile, "session_count", 0),
            token_count=getattr(profile, "token_count", 0),
            can_change_active=can_administer(actor, profile, is_boss=is_boss) and profile.user_id != actor.user_id,
            can_change_staff=is_boss and profile.user_id != actor.user_id,
            can_help=can_administer(actor, profile, is_boss=is_boss),
        )
        for profile in profiles
    ]


def check_can_administer(actor: Actor, profile: Profile, *, is_boss: bool) -> None:
    """Raises Forbidden: staff who are no superusers can do nothing to one who is."""
    check_is_staff(actor)
    if profile.user.is_superuser and not is_boss:
        raise Forbidden("Only a superuser can do this to a superuser.")


def can_administer(actor: Actor, profile: Profile, *, is_boss: bool) -> bool:
    """Whether `check_can_administer` passes."""
    try:
        check_can_administer(actor, profile, is_boss=is_boss)
    except DomainError:
        return False
    return True


def list_tenants(*, actor: Actor, q: str = "") -> QuerySet[Tenant]:
    """Every customer, the newest first, each with `member_count`. `q` is part of the name, or an id."""
    check_is_staff(actor)
    wanted = Q()
    for word in q.split():
        wanted &= Q(name__icontains=word) | Q(id=_as_id(word))
    people = Profile.objects.filter(tenant_id=OuterRef("pk")).order_by().values("tenant_id")
    count = Coalesce(Subquery(people.annotate(count=Count("pk")).values("count")), 0)
    return Tenant.objects.filter(wanted).annotate(member_count=count).order_by("-id")


def _as_id(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None


def view_tenants(*, tenants: Sequence[Tenant]) -> list[TenantRow]:
    """Rows of `list_tenants`: one more query for the owners, of whom the one who is there longest is named."""
    owners = Profile.objects.filter(tenant_id__in=[tenant.id for tenant in tenants], role=Role.OWNER)
    first: dict[UUID, Person] = {}
    for profile in owners.select_related("user").order_by("created_at", "id"):
        first.setdefault(profile.tenant_id, Person(id=profile.user_id, username=profile.user.username))
    return [
        TenantRow(
            id=tenant.id,
            name=tenant.name,
            created_at=tenant.created_at,
            member_count=getattr(tenant, "member_count", 0),
            owner=first.get(tenant.id),
        )
        for tenant in tenants
    ]


def get_tenant_row(*, actor: Actor, tenant_id: UUID) -> TenantRow:
    """One customer; raises NotFound."""
    tenant = list_tenants(actor=actor).filter(id=tenant_id).first()
    if tenant is None:
        raise NotFound
    return view_tenants(tenants=[tenant])[0]


def list_people_of(*, actor: Actor, tenant_id: UUID) -> list[MemberRow]:
    """The people of one customer, longest first. What staff may do with them is said by their own pages."""
    check_is_staff(actor)
    profiles = (
        Profile.objects.filter(tenant_id=tenant_id)
        .select_related("user")
        .annotate(last_active_at=Greatest(Max(f"{_TOKENS}__last_used_at"), "user__last_login"))
        .order_by("id")
    )
    protected = list_protected(user_ids=[profile.user_id for profile in profiles])
    return [
        MemberRow(
            id=profile.user_id,
            username=profile.user.username,
            display_name=profile.user.display_name,
            email=profile.user.email,
            role=Role(profile.role),
            joined_at=profile.created_at,
            last_active_at=profile.last_active_at,
            is_you=profile.user_id == actor.user_id,
            has_second_factor=profile.user_id in protected,
            can_change_role=False,
            can_remove=False,
        )
        for profile in profiles
    ]
