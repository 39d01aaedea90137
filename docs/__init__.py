"""The site: `python -m docs` builds and serves it."""
