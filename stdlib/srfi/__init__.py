"""SRFIs whose procedures are Python's."""
