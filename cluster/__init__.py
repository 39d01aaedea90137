"""App on clusters whose nodes fail: see `python -m cluster --help`."""
