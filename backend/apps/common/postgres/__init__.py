"""Django's PostgreSQL backend, which tells the database for whom it works."""
