"""What the console's pages about services ask for."""
