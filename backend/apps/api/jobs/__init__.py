"""HTTP edge of jobs."""
