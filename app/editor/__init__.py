"""The editor of the cut-out: its canvas, its tools and its inspector. The mask itself is in ``app/mask``."""
