"""The window around the panels: where they are, what its actions do, and how signals go from one to the other."""
