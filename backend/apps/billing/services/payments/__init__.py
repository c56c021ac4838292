"""Money between the customer's card and their reserve."""
