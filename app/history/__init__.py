"""The row of pictures at the bottom of the window."""
