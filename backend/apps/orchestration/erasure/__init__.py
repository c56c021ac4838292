"""The erasure of an account: `terms` says what goes and what stays, `steps` does it, `runner` drives it."""
