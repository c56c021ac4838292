"""Shapes of identities in the API."""

from typing import Any

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


class ProfileSerializer(serializers.Serializer[Any]):
    """What a person may set about themselves."""

    display_name = serializers.CharField()
    time_zone = serializers.CharField()
    settings = serializers.DictField()


class MeSerializer(UserSerializer):
    """The person who asks. The context carries the tenant's `billing` profile."""

    profile = ProfileSerializer(source="*")
    plan = serializers.SerializerMethodField()
    stripe_customer_id = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_plan(self, member: Member) -> str:
        return str(self.context["billing"].plan)

    def get_stripe_customer_id(self, member: Member) -> str:
        return self.context["billing"].stripe_customer_id or ""


class EditMeSerializer(serializers.Serializer[Any]):
    """A change of one's own profile; what is left out stays."""

    display_name = serializers.CharField(max_length=150, allow_blank=True, required=False)
    time_zone = serializers.CharField(max_length=64, required=False)


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
