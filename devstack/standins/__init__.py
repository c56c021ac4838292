"""Stand-ins for the outside world that speak its real protocols: a language model, Stripe, a mail server."""
