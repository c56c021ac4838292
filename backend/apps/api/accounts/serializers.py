"""Shapes of identities in the API."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.tenants.types import Member, Role


class TenantSerializer(serializers.Serializer[Any]):
    """The customer that a person belongs to."""

    id = serializers.UUIDField(source="tenant")
    name = serializers.CharField(source="tenant_name")


class UserSerializer(serializers.Serializer[Any]):
    """A person with the tenant that they belong to."""

    id = serializers.UUIDField(source="user_id")
    username = serializers.CharField()
    email = serializers.EmailField()
    is_staff = serializers.BooleanField()
    tenant = TenantSerializer(source="*")
    role = serializers.ChoiceField(choices=Role.choices)


class NotificationsSerializer(serializers.Serializer[Any]):
    """Which mails a person wants. Mails about the security of the account come in any case."""

    weekly_nudge = serializers.BooleanField()
    low_balance = serializers.BooleanField()
    report_ready = serializers.BooleanField()
    product_news = serializers.BooleanField()


class ProfileSerializer(serializers.Serializer[Any]):
    """What a person may set about themselves."""

    display_name = serializers.CharField()
    time_zone = serializers.CharField()
    settings = serializers.DictField()
    notifications = NotificationsSerializer()


class SecondFactorStateSerializer(serializers.Serializer[Any]):
    is_on = serializers.BooleanField()
    is_required = serializers.BooleanField()


class DeletionStateSerializer(serializers.Serializer[Any]):
    scheduled_for = serializers.DateTimeField()


class MeSerializer(UserSerializer):
    """The person who asks.

    The context carries the tenant's `billing` profile, whether a second factor `is_protected` the account, and when
    its `deletion` is due, if it is.
    """

    is_email_verified = serializers.BooleanField()
    pending_email = serializers.CharField(allow_blank=True)
    second_factor = serializers.SerializerMethodField()
    deletion = serializers.SerializerMethodField()
    profile = ProfileSerializer(source="*")
    plan = serializers.SerializerMethodField()
    stripe_customer_id = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    @extend_schema_field(SecondFactorStateSerializer)
    def get_second_factor(self, member: Member) -> dict[str, bool]:
        return {"is_on": self.context["is_protected"], "is_required": member.is_staff}

    @extend_schema_field(DeletionStateSerializer(allow_null=True))
    def get_deletion(self, member: Member) -> dict[str, Any] | None:
        due_at = self.context["deletion"]
        return None if due_at is None else DeletionStateSerializer({"scheduled_for": due_at}).data

    def get_plan(self, member: Member) -> str:
        return str(self.context["billing"].plan)

    def get_stripe_customer_id(self, member: Member) -> str:
        return self.context["billing"].stripe_customer_id or ""


class EditNotificationsSerializer(serializers.Serializer[Any]):
    """Choices to change; what is left out stays."""

    weekly_nudge = serializers.BooleanField(required=False)
    low_balance = serializers.BooleanField(required=False)
    report_ready = serializers.BooleanField(required=False)
    product_news = serializers.BooleanField(required=False)


class EditMeSerializer(serializers.Serializer[Any]):
    """A change of one's own profile; what is left out stays."""

    display_name = serializers.CharField(max_length=150, allow_blank=True, required=False)
    time_zone = serializers.CharField(max_length=64, required=False)
    notifications = EditNotificationsSerializer(required=False)


class CredentialsSerializer(serializers.Serializer[Any]):
    """A name or e-mail address with its password."""

    username = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)


class TokenRequestSerializer(CredentialsSerializer):
    """Credentials, and what to call the token that they are exchanged for."""

    name = serializers.CharField(max_length=80, default="API")


class LoginRequestSerializer(CredentialsSerializer):
    """Credentials, with a code for those who have set up a second factor."""

    code = serializers.CharField(max_length=64, allow_blank=True, default="", write_only=True)


class TokenSerializer(serializers.Serializer[Any]):
    """A fresh token; it is shown here and never again."""

    token = serializers.CharField(source="token.key")
    expires_at = serializers.DateTimeField(source="token.expires_at")
    user = UserSerializer(source="member")


class LoginSerializer(serializers.Serializer[Any]):
    user = UserSerializer()


class SignUpRequestSerializer(serializers.Serializer[Any]):
    """A new person with their invite passkey."""

    username = serializers.CharField(max_length=150)
    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)
    passkey = serializers.CharField(max_length=200, write_only=True)


class SignUpSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    user = UserSerializer()
