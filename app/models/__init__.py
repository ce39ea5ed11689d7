"""The Models dialog: what is installed, what can be fetched, licences, sources, memory."""
