"""A blog: authors, posts with tags, and comments in threads."""
