"""Jobs, their steps, paid calls, and the sweeper that drives what the broker forgot."""
