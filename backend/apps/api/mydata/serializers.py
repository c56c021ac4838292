"""Shapes of "my data" on the wire."""

from typing import Any

from rest_framework import serializers

from apps.orchestration.models import DataExport
from apps.orchestration.personal_types import ExportState


class DataExportSerializer(serializers.ModelSerializer[DataExport]):
    """A ZIP of everything that the person has here; `size_bytes` and `sha256` are null until it is written."""

    state = serializers.ChoiceField(choices=ExportState.choices)
    sha256 = serializers.SerializerMethodField()

    class Meta:
        model = DataExport
        fields = ["id", "job_id", "state", "size_bytes", "sha256", "created_at", "expires_at"]

    def get_sha256(self, export: DataExport) -> str | None:
        return export.sha256 or None


class ErasedSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    detail = serializers.CharField()


class KeptSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    why = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)


class BlockerSerializer(serializers.Serializer[Any]):
    """Why a deletion is not accepted as it stands; `balance_loss` goes away when it is confirmed."""

    code = serializers.CharField()
    message = serializers.CharField()


class DeletionSerializer(serializers.Serializer[Any]):
    """What the deletion of the account means; `scheduled_for` is null unless it is scheduled."""

    scheduled_for = serializers.DateTimeField(allow_null=True)
    grace_days = serializers.IntegerField()
    erased = ErasedSerializer(many=True)
    kept = KeptSerializer(many=True)
    blockers = BlockerSerializer(many=True)


class DeleteAccountSerializer(serializers.Serializer[Any]):
    """The wish to go. `confirm` is the person's own user name."""

    confirm = serializers.CharField(max_length=150)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    accept_balance_loss = serializers.BooleanField(required=False, default=False)


class CertificateItemSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    count = serializers.IntegerField()


class CertificateKeptSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    why = serializers.CharField()
    until = serializers.DateField(allow_null=True)


class CertificateContentSerializer(serializers.Serializer[Any]):
    """What the digest covers: this object as JSON in UTF-8, names sorted, without spaces."""

    format = serializers.CharField()
    id = serializers.UUIDField()
    scope = serializers.CharField()
    requested_at = serializers.CharField()
    erased_at = serializers.CharField()
    erased = CertificateItemSerializer(many=True)
    kept = CertificateKeptSerializer(many=True)


class CertificateSerializer(serializers.Serializer[Any]):
    """What was erased and what is kept, without a word about whose it was."""

    content = CertificateContentSerializer()
    sha256 = serializers.CharField()
