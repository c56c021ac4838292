"""People and tenants as other things name them in passing."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`username` is empty for somebody who is gone for good."""

    id: UUID
    username: str

    @property
    def shown(self) -> str:
        return self.username or "somebody who is gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantName:
    id: UUID
    name: str
