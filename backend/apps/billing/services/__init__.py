"""Everything that changes money. One writer for the ledger, one lock an account, one rounding a price."""
