"""A language model that speaks the OpenAI protocol, answers the same to the same, and fails when told to."""
