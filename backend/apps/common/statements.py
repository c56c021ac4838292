"""Statements of the busiest tables, written once from their model and kept prepared by the server.

The ORM composes a statement anew for each use, and PostgreSQL plans it anew: for a ledger entry both cost more than the
work itself. These do what `filter`, `bulk_create` and `save(update_fields=...)` do, in the scope in force. Rows
are plain: no signals, no `auto_now`, and what is read has no column that Django converts (JSON).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, LiteralString, TypeVar, cast

from django.db import DatabaseError, connection
from django.db.models import BigIntegerField, JSONField, Model
from psycopg import sql
from psycopg.types.numeric import Int8

Row = TypeVar("Row", bound=Model)


def fetch_rows(model: type[Row], tail: LiteralString, params: Sequence[Any]) -> list[Row]:
    """SELECT of all columns; `tail` is what follows the table's name.

    A list is one parameter (= ANY(%s)), but PostgreSQL plans for its length each time: ask for one value with = %s.
    """
    names, text = _select(model, tail)
    with _cursor() as cursor:
        cursor.execute(text, params)
        return [model.from_db(connection.alias, names, row) for row in cursor.fetchall()]


def insert_rows(rows: Sequence[Model]) -> None:
    """INSERT of any number of rows of one model by one statement."""
    if not rows:
        return
    model = type(rows[0])
    fields = model._meta.concrete_fields
    columns = [[_adapt(field, getattr(row, field.attname)) for row in rows] for field in fields]
    with _cursor() as cursor:
        if len(rows) == 1:
            cursor.execute(_insert_one(model), [value for [value] in columns])
        else:
            cursor.execute(_insert_many(model), columns)
    for row in rows:
        state = row._state  # noqa: SLF001 - as the ORM leaves what it has written
        state.adding, state.db = False, connection.alias


def insert_if_absent(row: Model) -> bool:
    """INSERT of one row, unless one of its unique keys is taken: whether it was written."""
    values = [_adapt(field, getattr(row, field.attname)) for field in row._meta.concrete_fields]
    with _cursor() as cursor:
        cursor.execute(f"{_insert_one(type(row))} ON CONFLICT DO NOTHING", values)
        return bool(cursor.rowcount)


def update_row(row: Model, fields: tuple[str, ...]) -> None:
    """UPDATE of the named columns of one row that must be there: DatabaseError otherwise."""
    model = type(row)
    names = (*fields, model._meta.pk.attname)
    values = [_adapt(model._meta.get_field(name), getattr(row, name)) for name in names]
    with _cursor() as cursor:
        cursor.execute(_update(model, fields), values)
        if cursor.rowcount != 1:
            raise DatabaseError(f"The row of {model._meta.label} to be changed is not there.")


def _cursor() -> Any:
    return cast("Any", connection).prepared_cursor()


def _adapt(field: Any, value: Any) -> Any:
    """An int of one size whatever its value, so that the statement is prepared once and not once for each size."""
    if value is None:
        return None
    if isinstance(field, BigIntegerField):
        return Int8(value)
    return field.get_db_prep_save(value, connection) if isinstance(field, JSONField) else value


@cache
def _select(model: type[Model], tail: LiteralString) -> tuple[list[str], str]:
    fields = model._meta.concrete_fields
    if any(hasattr(field, "from_db_value") for field in fields):
        raise TypeError(f"{model._meta.label} has columns that must be converted.")
    statement = sql.SQL("SELECT {} FROM {} ").format(_columns(model), _table(model)) + sql.SQL(tail)
    return [field.attname for field in fields], statement.as_string(None)


@cache
def _insert_one(model: type[Model]) -> str:
    marks: list[sql.Composable] = [sql.Placeholder()] * len(model._meta.concrete_fields)
    return _insert(model, sql.SQL("VALUES ({})").format(_list(marks)))


@cache
def _insert_many(model: type[Model]) -> str:
    """One array a column. Without a length, as a cast to a shorter text cuts instead of refusing."""
    types = [(field.db_type(connection) or "").partition("(")[0] for field in model._meta.concrete_fields]
    arrays: list[sql.Composable] = [sql.SQL("%b::{}[]").format(sql.SQL(db_type)) for db_type in types]
    return _insert(model, sql.SQL("SELECT * FROM unnest({})").format(_list(arrays)))


def _insert(model: type[Model], source: sql.Composed) -> str:
    statement = sql.SQL("INSERT INTO {} ({}) ").format(_table(model), _columns(model))
    return (statement + source).as_string(None)


@cache
def _update(model: type[Model], fields: tuple[str, ...]) -> str:
    columns = [_column(model._meta.get_field(name)) for name in fields]
    assignments: list[sql.Composable] = [sql.SQL("{} = %s").format(column) for column in columns]
    statement = sql.SQL("UPDATE {} SET {} WHERE {} = %s")
    return statement.format(_table(model), _list(assignments), _column(model._meta.pk)).as_string(None)


def _table(model: type[Model]) -> sql.Identifier:
    return sql.Identifier(model._meta.db_table)


def _columns(model: type[Model]) -> sql.Composed:
    return _list([_column(field) for field in model._meta.concrete_fields])


def _column(field: Any) -> sql.Identifier:
    return sql.Identifier(field.column)


def _list(parts: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
