"""The queue: a list over the canvas of the pictures that wait to be drawn."""
