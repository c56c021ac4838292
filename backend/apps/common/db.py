"""Pieces for rules that live in PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from apps.common.money import MAX_ABS_MICROS


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

    def _names(self, app_label: str, state: ProjectState) -> dict[str, str]:
        model = state.apps.get_model(app_label, self.model_name)
        field: Any = model._meta.get_field(self.field_name)
        table, target, column = model._meta.db_table, field.related_model._meta.db_table, field.column
        return {
            "table": table,
            "target": target,
            "column": column,
            "unique": f"{target}_tenant_id_id_key"[:63],
            "constraint": f"{table}_{column}_same_tenant"[:63],
        }

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        names = self._names(app_label, to_state)
        schema_editor.execute(
            """
            DO $$ BEGIN
                IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = '%(unique)s') THEN
                    ALTER TABLE "%(target)s" ADD CONSTRAINT "%(unique)s" UNIQUE (tenant_id, id);
                END IF;
            END $$
            """
            % names
        )
        schema_editor.execute(
            'ALTER TABLE "%(table)s" ADD CONSTRAINT "%(constraint)s" FOREIGN KEY (tenant_id, "%(column)s")'
            ' REFERENCES "%(target)s" (tenant_id, id) DEFERRABLE INITIALLY IMMEDIATE' % names
        )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        names = self._names(app_label, from_state)
        schema_editor.execute('ALTER TABLE "%(table)s" DROP CONSTRAINT IF EXISTS "%(constraint)s"' % names)

    def describe(self) -> str:
        return f"Keep {self.model_name}.{self.field_name} within one tenant"


def micros_range(field: str, *, name: str, minimum: int = -MAX_ABS_MICROS) -> models.CheckConstraint:
    """CHECK minimum <= field <= 10^15 micro-dollars, the same bound that the API enforces."""
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__gte": minimum, f"{field}__lte": MAX_ABS_MICROS}), name=name
    )


def require_transaction() -> None:
    """Refuses to go on outside a transaction: the caller's lock would be gone with its first statement."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("This must run inside transaction.atomic().")


@contextmanager
def forbid_transaction() -> Iterator[None]:
    """Guards a remote call: nothing of ours may stay locked while a stranger thinks."""
    if connection.in_atomic_block and not getattr(connection, "remote_calls_allowed_in_tests", False):
        raise transaction.TransactionManagementError("No remote call inside a database transaction.")
    yield
