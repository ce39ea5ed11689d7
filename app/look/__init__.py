"""How the program looks: colours, type, icons and controls, all from ``resources/tokens.json``."""
