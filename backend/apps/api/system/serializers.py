"""Shapes of the service's own state."""

from typing import Any

from rest_framework import serializers


class HealthSerializer(serializers.Serializer[Any]):
    status = serializers.CharField()


class ReadinessSerializer(serializers.Serializer[Any]):
    """`ok` only when every check is."""

    status = serializers.ChoiceField(choices=["ok", "unavailable"])
    checks = serializers.DictField(child=serializers.ChoiceField(choices=["ok", "failed", "timeout"]))


class DutiesSerializer(serializers.Serializer[Any]):
    """`late` when a periodic duty is overdue; its name is all that strangers are told."""

    status = serializers.ChoiceField(choices=["ok", "late"])
    late = serializers.ListField(child=serializers.CharField())
