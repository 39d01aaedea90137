"""What starts servers and drives load, for the tests, the comparison and the docs."""
