"""Lists of prompts: written, counted, drawn, and seen as a table."""
