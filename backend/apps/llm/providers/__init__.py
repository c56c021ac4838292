"""The writers: the built-in one, and models behind an endpoint. The only place that knows a model's SDK."""
