"""The contexts of each layer, the session, and the verdict."""
