"""Tells PostgreSQL the scope in force (`apps.common.scopes`), for one transaction at a time.

Settings are made with `set_config(..., is_local => true)` only, so nothing of one request can be found by the next one
on a pooled connection. They travel in front of a statement, in the same message: PostgreSQL runs several statements of
one simple query in one implicit transaction, so a statement in autocommit has its scope too, and no round trip is
added. Without a scope nothing is sent, and the policies show no row of any customer. `copy` and `stream` of psycopg
carry no scope outside a transaction: they see nothing.
"""

# The stubs know little of what a database backend is made of.
# mypy: disable-error-code="misc, name-defined, call-arg, attr-defined, no-any-return"

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from django.db.backends.postgresql import base
from psycopg import sql
from psycopg.pq import TransactionStatus

from apps.common.scopes import NOTHING, OPENING, Scope, current_scope

# Neither a scope nor None: what the transaction was told last is not known and must be told again.
_UNKNOWN: Final = object()


def _prepend(statement: str, query: Any) -> Any:
    if isinstance(query, sql.Composable):
        return sql.SQL(statement) + query  # made by us, never by a caller
    return statement.encode() + query if isinstance(query, bytes) else statement + query


class ScopedCursor(base.Cursor):
    """A cursor whose statements run in the scope in force."""

    # None for the cursors that Django and psycopg make for themselves: health checks and settings of the session.
    wrapper: "DatabaseWrapper | None" = None

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        scope = None if self.wrapper is None else self.wrapper.find_untold_scope()
        if self.wrapper is None or scope is None:
            return super().execute(query, params, **options)
        super().execute(_prepend(scope.statement, query), params, **options)
        # The first result is that of the settings.
        self.nextset()
        self.wrapper.note_told(scope)
        return self

    def executemany(self, query: Any, params_seq: Iterable[Any], *, returning: bool = False) -> None:
        if self.wrapper is None:
            super().executemany(query, params_seq, returning=returning)
            return
        with self.wrapper.telling():
            super().executemany(query, params_seq, returning=returning)


class ScopedServerSideCursor(base.ServerSideCursor):
    """The same for a cursor of the server: the scope decides when it is declared."""

    wrapper: "DatabaseWrapper | None" = None

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        if self.wrapper is None:
            return super().execute(query, params, **options)
        with self.wrapper.telling():
            return super().execute(query, params, **options)


class ScopedPreparedCursor(base.ServerBindingCursor):
    """A cursor whose statements the server parses and plans once a connection. For statements that do not vary."""

    wrapper: "DatabaseWrapper"

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        with self.wrapper.telling():
            return super().execute(query, params, prepare=True, **options)


class DatabaseOperations(base.DatabaseOperations):
    """Logs of statements, and tests that count them, see what the program asked and not what we put in front."""

    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str | None:
        if isinstance(cursor, ScopedPreparedCursor):
            # Its values travel apart, some in binary form.
            return str(self.compose_sql(sql.replace("%b", "%s"), params))
        text: str | None = super().last_executed_query(cursor, sql, params)
        return text.partition(";")[2] if text and text.startswith(OPENING) else text


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with a memory of what the present transaction was told."""

    ops_class = DatabaseOperations
    # A Scope, None for "nothing yet in this transaction", or _UNKNOWN.
    _told: object = None

    def find_untold_scope(self) -> Scope | None:
        """The scope to state in front of the next statement; None when there is nothing to say."""
        wanted = current_scope()
        if self.connection.autocommit:
            return wanted
        # A failed transaction takes nothing but its rollback.
        if wanted == self._told or self.connection.info.transaction_status == TransactionStatus.INERROR:
            return None
        return wanted or NOTHING

    def note_told(self, scope: Scope) -> None:
        """Remembers what the transaction was told; outside one it has ended with its statement."""
        if not self.connection.autocommit:
            self._told = scope

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Scope for what cannot carry it in its own message, in a transaction of its own if there is none."""
        scope = self.find_untold_scope()
        if scope is None:
            yield
        elif self.connection.autocommit:
            with self.connection.transaction():
                self.connection.execute(scope.statement)
                yield
        else:
            self.connection.execute(scope.statement)
            self.note_told(scope)
            yield

    def get_connection_params(self) -> dict[str, Any]:
        return super().get_connection_params() | {"cursor_factory": ScopedCursor}

    def create_cursor(self, name: str | None = None) -> Any:
        cursor: Any
        if name is None:
            cursor = super().create_cursor()
        else:
            # As Django makes one. The connection and we are both at UTC, so that no loader of time zones is needed.
            cursor = ScopedServerSideCursor(
                self.connection, name=name, scrollable=False, withhold=self.connection.autocommit
            )
        # The connections that make and drop databases belong to nobody.
        cursor.wrapper = None if self.alias == base.NO_DB_ALIAS else self
        return cursor

    def prepared_cursor(self) -> Any:
        """A cursor for `apps.common.statements`; it is logged and counted as any other one."""
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor = ScopedPreparedCursor(self.connection)
        cursor.wrapper = self
        return self._prepare_cursor(cursor)

    def _set_autocommit(self, autocommit: bool) -> None:  # noqa: FBT001 - Django's signature
        super()._set_autocommit(autocommit)
        self._told = None

    def _commit(self) -> None:
        # Deferred triggers run at COMMIT and read through the policies: they get the scope in force, not one that a
        # block inside the transaction has left behind.
        if self._told is not None and not self.connection.autocommit and (scope := self.find_untold_scope()):
            with self.wrap_database_errors:
                self.connection.execute(scope.statement)
        super()._commit()
        self._told = None

    def _rollback(self) -> None:
        super()._rollback()
        self._told = None

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)
        # PostgreSQL has gone back to the settings of the savepoint.
        self._told = _UNKNOWN

    def _close(self) -> None:
        super()._close()
        self._told = None
