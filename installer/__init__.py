"""Setting up: the bootstrap used by the README, by CI and by double-clicking main.py."""
