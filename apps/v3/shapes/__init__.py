"""How apps and everything around them look in the v3 API."""
