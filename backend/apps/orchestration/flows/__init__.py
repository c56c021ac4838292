"""The flows: one module a kind of job. The only place where domains are composed."""
