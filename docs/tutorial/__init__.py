"""Programs of the tutorial. Each is shown on a page, and runs as shown."""
