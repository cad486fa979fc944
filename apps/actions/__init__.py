"""What people can do with apps, by noun. Every door calls these."""
