"""Shapes of the tenant, its people and their support grants."""

from typing import Any

from rest_framework import serializers

from apps.api.people import PersonSerializer
from apps.tenants.types import GRANT_MINUTES_MAX, GRANT_MINUTES_MIN, REASON_MAX, GrantScope, GrantState, Role


class OwnTenantSerializer(serializers.Serializer[Any]):
    """The customer that the caller belongs to."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    member_count = serializers.IntegerField()


class EditTenantSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=150)


class MemberSerializer(serializers.Serializer[Any]):
    """A person in the tenant, and what the caller may do about them."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    display_name = serializers.CharField()
    email = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    joined_at = serializers.DateTimeField()
    last_active_at = serializers.DateTimeField(allow_null=True)
    is_you = serializers.BooleanField()
    has_second_factor = serializers.BooleanField()
    can_change_role = serializers.BooleanField()
    can_remove = serializers.BooleanField()


class MemberDetailSerializer(MemberSerializer):
    """The same with what removing the person would bring, to be read before it is confirmed."""

    consequences = serializers.ListField(child=serializers.CharField())


class ChangeRoleSerializer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Role.choices)


class TransferSerializer(serializers.Serializer[Any]):
    member = serializers.UUIDField(help_text="The id of the person who becomes the owner.")


class InviteSerializer(serializers.Serializer[Any]):
    """The terms of a key into one's own tenant."""

    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER)
    bound_email = serializers.CharField(max_length=254, default="", allow_blank=True)
    note = serializers.CharField(max_length=200, default="", allow_blank=True)
    expires_at = serializers.DateTimeField(default=None, allow_null=True)


class GrantSerializer(serializers.Serializer[Any]):
    """A permission for staff to see what a person sees."""

    id = serializers.UUIDField()
    reason = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=GrantScope.choices))
    granted_by = PersonSerializer()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    state = serializers.ChoiceField(choices=GrantState.choices)
    access_count = serializers.IntegerField()


class OpenGrantSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=REASON_MAX)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=GrantScope.choices), min_length=1, max_length=len(GrantScope)
    )
    minutes = serializers.IntegerField(min_value=GRANT_MINUTES_MIN, max_value=GRANT_MINUTES_MAX)


class AccessSerializer(serializers.Serializer[Any]):
    """One look that staff took."""

    at = serializers.DateTimeField()
    staff = PersonSerializer()
    method = serializers.CharField()
    path = serializers.CharField()
