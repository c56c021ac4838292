"""HTTP edge of the worklog."""
