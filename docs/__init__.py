"""Site: `python -m docs` builds and serves it."""
