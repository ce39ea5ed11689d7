"""The middle of the window: the forming picture, what can be done with it, and the strip of its scales."""
