"""What can be done with identities: `users`, `credentials` and `tokens`."""
