"""Whose rows the present work may see: one customer's, or for a named reason of the house those of all.

PostgreSQL decides by row-level security (`apps.common.db.ProtectTenantRows`); this module holds what it is told.
Without a scope it is told nothing and shows no row of any customer. See docs/decisions/0007-row-level-security.md.

A scope belongs to the present context (`contextvars`), never to a connection: `apps.common.postgres` states it again
for each transaction and for each statement outside one. Threads begin without a scope.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from django.db import connection

from apps.common.ids import TenantId


class SystemScope(StrEnum):
    """Why the house looks at rows of more than one customer. Each name is an entry of the audit, not a convenience."""

    AUTHENTICATION = "authentication"
    """Finding out who asks: until then there is no tenant."""
    SIGN_UP = "sign_up"
    """Making a tenant and its first person, or joining one by passkey."""
    STAFF = "staff"
    """A member of staff at a page or call for staff. Metadata only."""
    MEMBERSHIP = "membership"
    """Moving a person from one tenant into another."""
    COMMAND = "command"
    """A management command."""
    SWEEPER = "sweeper"
    """Finding due steps, dead workers, overdue holds and other rows whose time has come."""
    PROOF = "proof"
    """Proving the ledger of every customer."""
    METRICS = "metrics"
    """Counting over all customers."""
    MAIL = "mail"
    """Sending what is queued."""
    RETENTION = "retention"
    """Deleting what is older than it may be kept."""
    ERASURE = "erasure"
    """Finding accounts whose time of grace is over, and removing them."""

    @property
    def opens_content(self) -> bool:
        """Whether what customers wrote is open too: to machines that must move it, never to people of the house."""
        return self in _OPENS_CONTENT


_OPENS_CONTENT: Final = frozenset(
    {SystemScope.SWEEPER, SystemScope.METRICS, SystemScope.RETENTION, SystemScope.ERASURE}
)


class Access(StrEnum):
    """What PostgreSQL is told about rows of other tenants than the scope's own. The policies compare these words."""

    OWN = ""
    METADATA = "metadata"
    EVERYTHING = "everything"


class ScopeError(RuntimeError):
    """A scope was entered where it would not hold: see `check_can_enter`."""


# How the statement begins that tells PostgreSQL, and no other one of ours.
OPENING: Final = "SELECT set_config('afterresume.tenant',"


@dataclass(frozen=True)
class Scope:
    """One customer's rows, and as far as `access` goes everybody's."""

    tenant: TenantId | None = None
    access: Access = Access.OWN
    name: str = "tenant"

    @cached_property
    def statement(self) -> str:
        """SQL that tells PostgreSQL until the end of the transaction. Made of a UUID and a word of ours, so quoted."""
        tenant = "" if self.tenant is None else UUID(str(self.tenant))
        return f"{OPENING} '{tenant}', true), set_config('afterresume.scope', '{self.access.value}', true);"

    def includes(self, other: "Scope") -> bool:
        """Whether a transaction that began in this scope may go on in the other: it may narrow, never widen."""
        if other == self or (other.access is Access.OWN and other.tenant == self.tenant):
            return True
        if self.access is Access.OWN:
            return False
        if other.access is Access.EVERYTHING:
            return self.access is Access.EVERYTHING
        # From the metadata of all a machine goes on to the whole of one customer; a person of the house does not.
        return other.access is Access.METADATA or self.name != SystemScope.STAFF


# What closes a scope again inside a transaction.
NOTHING: Final = Scope(name="nothing")

_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)
# Whether an edge will put the scope back, so that it may be bound without a block of its own.
_has_edge: ContextVar[bool] = ContextVar("has_edge", default=False)


def current_scope() -> Scope | None:
    """The scope in force, or None: then no row of a customer is visible."""
    return _scope.get()


def check_can_enter(scope: Scope) -> None:
    """Raises ScopeError when a transaction is open that began in a scope which does not include the new one.

    Deferred triggers read through the policies at COMMIT. Entered too late, or left too early, the scope would hide the
    rows from the very checks that must see them, and the checks would find nothing to object to. The transaction of a
    test case does not count, as with `atomic(durable=True)`.
    """
    blocks: list[Any] = connection.atomic_blocks
    if all(block._from_testcase for block in blocks):
        return
    present = _scope.get()
    if present is None or not present.includes(scope):
        raise ScopeError(
            f"Inside a transaction of scope {present.name if present else 'nothing'!r} the scope {scope.name!r}"
            " cannot be entered. Enter it before transaction.atomic()."
        )


@contextmanager
def _entered(scope: Scope) -> Iterator[None]:
    check_can_enter(scope)
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def tenant_scope(tenant: TenantId) -> Iterator[None]:
    """The rows of one customer for the length of the block."""
    with _entered(Scope(tenant=tenant)):
        yield


@contextmanager
def system_scope(name: SystemScope | str) -> Iterator[None]:
    """Rows of every customer for the length of the block, for a reason that has a name.

    What a tenant's scope around it had opened stays open.
    """
    with _entered(_widen(SystemScope(name))):
        yield


def _widen(name: SystemScope) -> Scope:
    present = _scope.get()
    tenant = present.tenant if present else None
    return Scope(tenant=tenant, access=Access.EVERYTHING if name.opens_content else Access.METADATA, name=name)


@contextmanager
def edge() -> Iterator[None]:
    """The outermost block of a request or task: begins without a scope, and puts back what was there at its end."""
    scope, has_edge = _scope.set(None), _has_edge.set(True)
    try:
        yield
    finally:
        _scope.reset(scope)
        _has_edge.reset(has_edge)


def bind_tenant(tenant: TenantId) -> None:
    """`tenant_scope` until the surrounding `edge` ends, for hooks of frameworks that are no blocks."""
    _bind(Scope(tenant=tenant))


def bind_system(name: SystemScope | str) -> None:
    """`system_scope` until the surrounding `edge` ends."""
    _bind(_widen(SystemScope(name)))


def _bind(scope: Scope) -> None:
    if not _has_edge.get():
        raise ScopeError("Nothing would end this scope: bind it inside scopes.edge().")
    check_can_enter(scope)
    _scope.set(scope)


@contextmanager
def resumed(scope: Scope | None) -> Iterator[None]:
    """A scope that was in force before, for work that goes on later: the next part of a streamed answer."""
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)
