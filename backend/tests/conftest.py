"""Fixtures shared by all of the backend's tests."""
