"""The window. Knows Qt and the public face of the engine; never imports the model libraries."""
