"""Writing the worklog."""

from apps.worklog.services.entries import VersionConflict, create_entry, delete_entry, edit_entry, restore_entry
from apps.worklog.services.names import ensure_name
from apps.worklog.services.quick_line import parse_quick_line

__all__ = [
    "VersionConflict",
    "create_entry",
    "delete_entry",
    "edit_entry",
    "ensure_name",
    "parse_quick_line",
    "restore_entry",
]
