"""The subject: its photo, its mask, its name, and the panel that shows them."""
