"""The launcher: sets up what this machine needs in the user's own folder, and opens the window.

Everything here but ``window.py`` needs the standard library only: it runs before a package is installed.
"""
