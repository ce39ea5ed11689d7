"""Everything the program shares with the system and with Qt: threads, logs, one instance, other programs."""
