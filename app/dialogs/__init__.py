"""Dialogs over a scrim: settings, keys and help, about. Esc closes; what is set is set at once."""
