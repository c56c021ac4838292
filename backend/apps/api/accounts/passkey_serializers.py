"""Shapes of invite passkeys in the API."""

from typing import Any

from rest_framework import serializers

from apps.api.people import PersonSerializer
from apps.common.money import MAX_ABS_MICROS, MICROS_PER_CENT, micros_to_cents
from apps.invitations.types import PasskeyState, PasskeyView
from apps.tenants.types import Role


class JoinedTenantSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class PasskeySerializer(serializers.Serializer[Any]):
    """An invite passkey; the key itself is not stored anywhere."""

    id = serializers.UUIDField()
    prefix = serializers.CharField()
    state = serializers.ChoiceField(choices=PasskeyState.choices)
    note = serializers.CharField()
    bound_email = serializers.CharField()
    promo_credit_cents = serializers.SerializerMethodField()
    tenant = JoinedTenantSerializer(allow_null=True)
    role = serializers.ChoiceField(choices=Role.choices, allow_null=True)
    created_by = PersonSerializer(allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    used_by = PersonSerializer(allow_null=True)
    used_at = serializers.DateTimeField(allow_null=True)

    def get_promo_credit_cents(self, passkey: PasskeyView) -> int:
        return micros_to_cents(passkey.promo_credit_micros)


class NewPasskeySerializer(PasskeySerializer):
    """A fresh key. `passkey` is shown once; the replay of an idempotent call has "" in its place."""

    passkey = serializers.CharField()


class PasskeyFilterSerializer(serializers.Serializer[Any]):
    """What the list may be narrowed to."""

    state = serializers.ChoiceField(choices=PasskeyState.choices, required=False)


class CreatePasskeySerializer(serializers.Serializer[Any]):
    """The terms of a new key."""

    note = serializers.CharField(max_length=200, default="", allow_blank=True)
    expires_at = serializers.DateTimeField(default=None, allow_null=True)
    bound_email = serializers.CharField(max_length=254, default="", allow_blank=True)
    promo_credit_cents = serializers.IntegerField(default=0, min_value=0, max_value=MAX_ABS_MICROS // MICROS_PER_CENT)
    tenant = serializers.UUIDField(default=None, allow_null=True)
    role = serializers.ChoiceField(choices=Role.choices, default=None, allow_null=True)
