"""The mask: its document, its worker and the editor."""
