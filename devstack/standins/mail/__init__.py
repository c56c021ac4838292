"""A mail server that delivers to a folder, and a page to read what has come."""
