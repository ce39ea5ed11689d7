"""The right panel: what to draw and how. The models are free of Qt; ``panel.py`` is the widget."""
