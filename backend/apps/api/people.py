"""Shapes of people and tenants that several areas of the API name in passing."""

from typing import Any

from rest_framework import serializers


class PersonSerializer(serializers.Serializer[Any]):
    """Whoever did something."""

    id = serializers.UUIDField()
    username = serializers.CharField()


class TenantNameSerializer(serializers.Serializer[Any]):
    """A customer in passing."""

    id = serializers.UUIDField()
    name = serializers.CharField()
