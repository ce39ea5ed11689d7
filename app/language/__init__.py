"""The program's languages: sentences for the user, and the translations of the engine's."""
