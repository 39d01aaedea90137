"""The programs of the tutorial. Each is shown on a page, and runs as shown."""
