"""Asks a broker what the Open Service Broker API says, and tells which of it does not hold; it knows no rows."""
