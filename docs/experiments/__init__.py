"""Small programs that show what goes wrong, and why. Each runs alone."""
