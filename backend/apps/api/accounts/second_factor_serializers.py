"""Shapes of second factors in the API."""

from collections.abc import Mapping
from typing import Any, Final

from rest_framework import serializers

from apps.api.schema import ErrorSerializer
from apps.mfa.types import Method

_MAX_CHALLENGE: Final = 200
_MAX_CODE: Final = 64
_MAX_NAME: Final = 80


class ChallengeSerializer(serializers.Serializer[Any]):
    """An open challenge: good for five minutes, five attempts and one success."""

    id = serializers.CharField()
    methods = serializers.ListField(child=serializers.ChoiceField(choices=Method.choices))
    webauthn = serializers.DictField(
        allow_null=True, help_text="Options for the browser's `navigator.credentials.get`, binary members as base64url."
    )


class SecondFactorRequiredSerializer(ErrorSerializer):
    """The password was right, but the person has set up a second factor."""

    challenge = ChallengeSerializer()


class AnswerSerializer(serializers.Serializer[Any]):
    """An answer to the challenge of a sign-in: a code, or what the browser got from a security key."""

    challenge = serializers.CharField(max_length=_MAX_CHALLENGE)
    code = serializers.CharField(max_length=_MAX_CODE, required=False, write_only=True)
    credential = serializers.DictField(required=False, write_only=True)
    name = serializers.CharField(max_length=80, default="API", help_text="What to call the token.")

    def validate(self, attrs: Mapping[str, Any]) -> Mapping[str, Any]:
        if ("code" in attrs) == ("credential" in attrs):
            raise serializers.ValidationError("Send either `code` or `credential`.")
        return attrs


class SecurityKeySerializer(serializers.Serializer[Any]):
    """A security key."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class TotpStateSerializer(serializers.Serializer[Any]):
    is_on = serializers.BooleanField(source="is_totp_on")
    confirmed_at = serializers.DateTimeField(source="totp_confirmed_at", allow_null=True)


class SecondFactorSerializer(serializers.Serializer[Any]):
    """What the person has set up, and whether they may be without."""

    is_on = serializers.BooleanField()
    is_required = serializers.BooleanField()
    totp = TotpStateSerializer(source="*")
    recovery_codes_left = serializers.IntegerField()
    security_keys = SecurityKeySerializer(many=True)


class TotpSetupSerializer(serializers.Serializer[Any]):
    """A secret for an authenticator app; it is shown here and never again."""

    secret = serializers.CharField(help_text="Base32, for typing.")
    uri = serializers.CharField(help_text="An `otpauth:` address, for a QR code.")


class CodeSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=_MAX_CODE, write_only=True)


class RecoveryCodesSerializer(serializers.Serializer[Any]):
    """Codes for the day on which a factor is lost; they are shown here and never again."""

    recovery_codes = serializers.ListField(child=serializers.CharField())


class KeySetupSerializer(serializers.Serializer[Any]):
    """What a browser needs to make a key."""

    challenge = serializers.CharField()
    options = serializers.DictField(
        help_text="Options for the browser's `navigator.credentials.create`, binary members as base64url."
    )


class NewKeySerializer(serializers.Serializer[Any]):
    """A key that a browser has made for the challenge."""

    challenge = serializers.CharField(max_length=_MAX_CHALLENGE)
    name = serializers.CharField(max_length=_MAX_NAME)
    credential = serializers.DictField(write_only=True)


class AddedKeySerializer(SecurityKeySerializer):
    """The new key, with recovery codes when it is the first factor of the person."""

    recovery_codes = serializers.ListField(child=serializers.CharField())


class KeyNameSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=_MAX_NAME)
