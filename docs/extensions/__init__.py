"""What the site needs beyond Sphinx and its well-known extensions."""
