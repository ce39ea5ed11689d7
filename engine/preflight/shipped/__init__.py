"""The network that ships with the program: finds the subject, obeys boxes and clicks, and says how sure it is."""
