"""R6RS libraries whose procedures are Python's."""
