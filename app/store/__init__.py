"""Everything that outlives the window: pictures on disk, their history, and the open session. Free of Qt."""
