"""Boot loaders: their boot code as bytes and their configuration as text."""
