"""Servers, and load on them, for the tests, the comparison and the docs."""
