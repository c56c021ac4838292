"""Pieces for rules that live in PostgreSQL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pgtrigger
from django.db import connection, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from apps.common.money import MAX_ABS_MICROS

# The transaction-local setting that `erasing()` switches on and the triggers of erasable tables ask for.
_ERASURE: Final = "afterresume.erasure"

POLICY: Final = "tenant_rows"


class AddTenantReference(Operation):
    """Makes a foreign key between two tenant tables unable to cross tenants.

    Adds UNIQUE (tenant_id, id) to the referenced table when it is missing and FOREIGN KEY (tenant_id, <field>_id)
    REFERENCES <target> (tenant_id, id). Django's own single-column key stays for the ORM. Both models need `tenant`.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str, field_name: str) -> None:
        self.model_name = model_name
        self.field_name = field_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The ORM's picture of the models does not change."""

    def _names(self, app_label: str, state: ProjectState) -> tuple[str, str, str]:
        """The referencing table, its column and the referenced table."""
        model = state.apps.get_model(app_label, self.model_name)
        field: Any = model._meta.get_field(self.field_name)
        return model._meta.db_table, field.column, field.related_model._meta.db_table

    @staticmethod
    def _constraint(table: str, column: str) -> str:
        # PostgreSQL cuts longer names silently, and then dropping by the full name would fail.
        return f"{table}_{column}_tenant"[:63]

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table, column, target = self._names(app_label, to_state)
        unique = f"{target}_tenant_id_id_key"
        schema_editor.execute(
            f"""
            DO $$ BEGIN
                IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = '{unique}') THEN
                    ALTER TABLE "{target}" ADD CONSTRAINT "{unique}" UNIQUE (tenant_id, id);
                END IF;
            END $$
            """  # noqa: S608 - names of our own models
        )
        schema_editor.execute(
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{self._constraint(table, column)}"'
            f' FOREIGN KEY (tenant_id, "{column}") REFERENCES "{target}" (tenant_id, id)'
        )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table, column, _ = self._names(app_label, from_state)
        schema_editor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT IF EXISTS "{self._constraint(table, column)}"')

    def describe(self) -> str:
        return f"Keep {self.model_name}.{self.field_name} within one tenant"


class ProtectTenantRows(Operation):
    """Row-level security: the table's rows are visible and writable in their tenant's scope and in the house's.

    `content` marks what customers wrote: the house's people (scope "staff") see metadata only, its machines see it.
    `column` names the tenant. `accepts_none` lets anybody add, and nobody but the house read, rows of no tenant.
    The owner of the table is bound as well (FORCE); superusers and roles with BYPASSRLS are not, so services run as
    neither (`apps.common.roles`). Settings are read in sub-selects: once a query, not once a row.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(
        self, model_name: str, *, content: bool = False, column: str = "tenant_id", accepts_none: bool = False
    ) -> None:
        self.model_name = model_name
        self.content = content
        self.column = column
        self.accepts_none = accepts_none

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The ORM's picture of the models does not change."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        opened = "('everything')" if self.content else "('everything', 'metadata')"
        visible = (
            f"\"{self.column}\" = (SELECT nullif(current_setting('afterresume.tenant', true), '')::uuid)"
            f" OR (SELECT current_setting('afterresume.scope', true) IN {opened})"
        )
        writable = f'{visible} OR "{self.column}" IS NULL' if self.accepts_none else visible
        schema_editor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        schema_editor.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        schema_editor.execute(f'CREATE POLICY {POLICY} ON "{table}" USING ({visible}) WITH CHECK ({writable})')

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table = from_state.apps.get_model(app_label, self.model_name)._meta.db_table
        schema_editor.execute(f'DROP POLICY {POLICY} ON "{table}"')
        schema_editor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
        schema_editor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')

    def describe(self) -> str:
        return f"Show rows of {self.model_name} to their tenant only"


def open_tenant_rows(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """For RunPython, before the data of protected tables is changed: opens every row until the migration ends."""
    schema_editor.execute("SELECT set_config('afterresume.scope', 'everything', true)")


def micros_range(field: str, *, name: str, minimum: int = -MAX_ABS_MICROS) -> models.CheckConstraint:
    """CHECK minimum <= field <= 10^15 micro-dollars, the same bound that the API enforces."""
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__gte": minimum, f"{field}__lte": MAX_ABS_MICROS}), name=name
    )


def append_only(*, erasable: bool = False, blankable: Sequence[str] = ()) -> list[pgtrigger.Trigger]:
    """Triggers that refuse UPDATE, DELETE and TRUNCATE: a wrong row is corrected by a counter-row.

    `erasable` is for what a person may have erased: DELETE then works inside `erasing()`, and nowhere else. `blankable`
    names the columns of a row that outlives the person: UPDATE of these alone works there.
    """
    if blankable:
        return [
            pgtrigger.Protect(
                name="append_only", operation=pgtrigger.Update, condition=unless_blanked_by_erasure(*blankable)
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            append_only()[-1],
        ]
    no_truncate = pgtrigger.Trigger(
        name="no_truncate",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func="RAISE EXCEPTION 'append only: % cannot be truncated', TG_TABLE_NAME;",
    )
    if not erasable:
        return [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete), no_truncate]
    return [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update),
        pgtrigger.Protect(
            name="deleted_by_erasure",
            operation=pgtrigger.Delete,
            condition=pgtrigger.Condition(f"current_setting('{_ERASURE}', true) IS DISTINCT FROM 'on'"),
        ),
        no_truncate,
    ]


def unless_blanked_by_erasure(*columns: str, old: str = "true") -> pgtrigger.Condition:
    """The condition of a trigger that refuses an UPDATE of rows that are `old` (SQL), but for blanking by an erasure.

    Passed is only what happens inside `erasing()` and changes no other column than the named ones.
    """
    names = ",".join(columns)
    return pgtrigger.Condition(
        f"(({old}) AND (current_setting('{_ERASURE}', true) IS DISTINCT FROM 'on'"
        f" OR to_jsonb(NEW) - '{{{names}}}'::text[] IS DISTINCT FROM to_jsonb(OLD) - '{{{names}}}'::text[]))"
    )


@contextmanager
def erasing() -> Iterator[None]:
    """Lets rows of erasable append-only tables be deleted, in this transaction and within the block only."""
    require_transaction()
    _set_erasure("on")
    yield
    # After an error the transaction, or its savepoint, takes the setting back by itself.
    _set_erasure("off")


def _set_erasure(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [_ERASURE, value])


def require_transaction() -> None:
    """Refuses to go on outside a transaction: the caller's lock would be gone with its first statement."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("This must run inside transaction.atomic().")


def forbid_transaction() -> None:
    """Guards a remote call: nothing of ours may stay locked while a stranger thinks.

    The transaction that a test case wraps around itself does not count, as with `atomic(durable=True)`.
    """
    blocks: list[Any] = connection.atomic_blocks
    if any(not block._from_testcase for block in blocks):
        raise transaction.TransactionManagementError("No remote call inside a database transaction.")
