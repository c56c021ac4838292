"""The built-in writer: deterministic, without network or model, made only of the entries' own words."""
