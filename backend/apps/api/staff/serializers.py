"""Shapes of people, customers and support grants as staff see them."""

from typing import Any

from rest_framework import serializers

from apps.api.people import PersonSerializer, TenantNameSerializer
from apps.api.tenants.serializers import GrantSerializer, MemberSerializer
from apps.tenants.types import REASON_MAX, Role


class UserRowSerializer(serializers.Serializer[Any]):
    """A person, and what the caller may do about them."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    email = serializers.CharField()
    display_name = serializers.CharField()
    is_active = serializers.BooleanField()
    is_staff = serializers.BooleanField()
    is_email_verified = serializers.BooleanField()
    has_second_factor = serializers.BooleanField()
    tenant = TenantNameSerializer()
    role = serializers.ChoiceField(choices=Role.choices)
    created_at = serializers.DateTimeField()
    last_active_at = serializers.DateTimeField(allow_null=True)
    session_count = serializers.IntegerField()
    token_count = serializers.IntegerField()
    can_change_active = serializers.BooleanField()
    can_change_staff = serializers.BooleanField()
    can_help = serializers.BooleanField(help_text="Whether the caller may send a reset, end tokens, reset a factor.")


class UserQuerySerializer(serializers.Serializer[Any]):
    """What the list of people can be narrowed by."""

    q = serializers.CharField(max_length=254, required=False, help_text="Part of a name or an e-mail address.")
    is_staff = serializers.BooleanField(required=False, allow_null=True, default=None)
    is_active = serializers.BooleanField(required=False, allow_null=True, default=None)


class ReasonSerializer(serializers.Serializer[Any]):
    """Why staff act; it is kept with the act."""

    reason = serializers.CharField(max_length=REASON_MAX)


class OptionalReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=REASON_MAX, default="Asked for by staff")


class EditUserSerializer(ReasonSerializer):
    """A change of a person's account; what is left out stays."""

    is_active = serializers.BooleanField(required=False)
    is_staff = serializers.BooleanField(required=False)


class MessageSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()


class OwnerSerializer(PersonSerializer):
    """Whoever runs a tenant."""


class TenantRowSerializer(serializers.Serializer[Any]):
    """A customer with its plan and how its reserve stands. The context carries `standings`."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    member_count = serializers.IntegerField()
    owner = OwnerSerializer(allow_null=True)
    plan = serializers.SerializerMethodField()
    balance_micros = serializers.SerializerMethodField()

    def get_plan(self, tenant: Any) -> str:
        return str(self.context["standings"].get(tenant.id, ("", 0))[0])

    def get_balance_micros(self, tenant: Any) -> int:
        return int(self.context["standings"].get(tenant.id, ("", 0))[1])


class TenantDetailSerializer(TenantRowSerializer):
    """The same with its people."""

    members = MemberSerializer(many=True)


class TenantQuerySerializer(serializers.Serializer[Any]):
    q = serializers.CharField(max_length=150, required=False, help_text="Part of the name, or an id.")


class StaffGrantSerializer(GrantSerializer):
    """An open grant, with the customer whose data it opens."""

    tenant = TenantNameSerializer()

    def to_representation(self, instance: Any) -> dict[str, Any]:
        tenant = TenantNameSerializer(instance.tenant).data
        return {**GrantSerializer(instance.grant).data, "tenant": tenant}
