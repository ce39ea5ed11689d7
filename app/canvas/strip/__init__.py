"""The strip of scales under the picture: every scale's picture, which are kept, the time that is left."""
