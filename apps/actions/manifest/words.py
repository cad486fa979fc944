"""The words that random routes are made of: short, plain, and nothing anybody minds in an address."""

ADJECTIVES = (
    "amber", "bold", "brave", "brisk", "calm", "clear", "cool", "crisp", "eager", "early", "fair", "fast", "fresh",
    "gentle", "glad", "golden", "grand", "green", "happy", "kind", "late", "light", "lively", "lucky", "merry", "mild",
    "neat", "noble", "patient", "polite", "proud", "quick", "quiet", "ready", "silver", "smooth", "steady", "sunny",
    "swift", "tidy", "warm", "wise",
)  # fmt: skip
NOUNS = (
    "acorn", "badger", "bay", "beacon", "beech", "bridge", "brook", "canal", "cedar", "cliff", "cove", "crane", "dale",
    "dune", "elm", "falcon", "ferry", "field", "finch", "forest", "garden", "glen", "harbour", "hare", "heron", "hill",
    "island", "lake", "lantern", "meadow", "mill", "moor", "oak", "orchard", "otter", "pebble", "pine", "pond", "quay",
    "reef", "river", "robin", "sail", "shore", "spring", "swan", "tern", "valley", "willow", "wren",
)  # fmt: skip
