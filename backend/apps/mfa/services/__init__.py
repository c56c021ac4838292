"""What can be done with factors: `challenges`, `codes`, `totp`, `recovery_codes`, `security_keys`, `resets`."""
