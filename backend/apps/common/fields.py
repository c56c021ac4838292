"""Model fields with one meaning across the apps."""

from typing import Any

from django.db import models

from apps.common.ids import uuid7


class UUIDv7PrimaryKey(models.UUIDField[Any, Any]):
    """A time-ordered identifier, made in Python so that it is known before the row is written."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.update(primary_key=True, default=uuid7, editable=False)
        super().__init__(**kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("primary_key", "default", "editable"):
            kwargs.pop(fixed, None)
        return name, path, args, kwargs


class MicrosField(models.BigIntegerField[Any, Any]):
    """An amount in micro-dollars. Constrain its range with `apps.common.db.micros_range`."""
