"""The OAuth server that ``cf login`` expects: tokens, accounts and clients, in UAA's shapes."""
