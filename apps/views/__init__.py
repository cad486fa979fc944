"""The console's pages about a space and the apps in it, by noun."""
