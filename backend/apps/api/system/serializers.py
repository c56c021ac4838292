"""Shapes of the service's own state."""

from typing import Any

from rest_framework import serializers


class HealthSerializer(serializers.Serializer[Any]):
    status = serializers.CharField()


class ReadinessSerializer(serializers.Serializer[Any]):
    """`ok` only when every check is."""

    status = serializers.ChoiceField(choices=["ok", "unavailable"])
    checks = serializers.DictField(child=serializers.ChoiceField(choices=["ok", "failed", "timeout"]))
