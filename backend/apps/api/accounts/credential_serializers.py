"""Shapes of passwords, addresses, sessions and personal tokens in the API."""

from typing import Any, Final

from rest_framework import serializers

from apps.accounts.types import ALL_SCOPES, READ

MAX_PASSWORD_LENGTH: Final = 1000
MAX_TOKEN_DAYS: Final = 365
DEFAULT_TOKEN_DAYS: Final = 90


class PasswordField(serializers.CharField):
    """Any characters, none of them trimmed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_PASSWORD_LENGTH, trim_whitespace=False, write_only=True, **kwargs)


class ChangePasswordSerializer(serializers.Serializer[Any]):
    current_password = PasswordField()
    new_password = PasswordField()


class RequestResetSerializer(serializers.Serializer[Any]):
    """Not an e-mail field: an address of any form is answered alike."""

    email = serializers.CharField(max_length=254)


class MailSentSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()


class ResetPasswordSerializer(serializers.Serializer[Any]):
    """What the link in the mail carries, and the new password."""

    uid = serializers.CharField(max_length=64)
    token = serializers.CharField(max_length=200, write_only=True)
    password = PasswordField()


class ReauthenticateSerializer(serializers.Serializer[Any]):
    password = PasswordField()


class ReauthenticatedSerializer(serializers.Serializer[Any]):
    until = serializers.DateTimeField(help_text="Until then this session may do what needs a fresh proof.")


class VerifyEmailSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=300, write_only=True)


class VerifiedEmailSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    is_verified = serializers.BooleanField()


class ChangeEmailSerializer(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=254)


class SessionSerializer(serializers.Serializer[Any]):
    """Where the person is signed in. The context carries the `current` token's id."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField()
    address = serializers.IPAddressField(allow_null=True)
    device = serializers.CharField()
    is_current = serializers.SerializerMethodField()
    has_second_factor = serializers.BooleanField()

    def get_is_current(self, session: Any) -> bool:
        return bool(session.id == self.context.get("current"))


class PersonalTokenSerializer(serializers.Serializer[Any]):
    """A token for a program; its key is not stored anywhere."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=ALL_SCOPES))
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class NewPersonalTokenSerializer(PersonalTokenSerializer):
    """A fresh token. `token` is shown once; the replay of an idempotent call has "" in its place."""

    token = serializers.CharField()


class CreatePersonalTokenSerializer(serializers.Serializer[Any]):
    """What the token is called and may do: `["read"]`, or `["read", "write"]`."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=ALL_SCOPES), min_length=1, max_length=2)
    expires_in_days = serializers.IntegerField(min_value=1, max_value=MAX_TOKEN_DAYS, default=DEFAULT_TOKEN_DAYS)

    def validate_scopes(self, scopes: list[str]) -> list[str]:
        if READ not in scopes:
            raise serializers.ValidationError("A token that may write must be able to read.")
        return [scope for scope in ALL_SCOPES if scope in scopes]
