"""HTTP edge of "my data": exports, deletion of the account, certificates of erasures."""
