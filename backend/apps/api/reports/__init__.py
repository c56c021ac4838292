"""HTTP edge of reports."""
