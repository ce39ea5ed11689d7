"""The look of the program: colours, type, icons and controls, all from ``resources/tokens.json``."""
