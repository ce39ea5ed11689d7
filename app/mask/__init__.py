"""The mask without its widgets: pixels, brush, undo, and the thread that corrects it."""
