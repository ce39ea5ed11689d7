"""The open session, free of widgets: its state, what the user can ask of it, the queue of pictures, the subjects."""
