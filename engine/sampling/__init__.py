"""Drawing scale after scale: guidance, noise, caches, kept scales."""
