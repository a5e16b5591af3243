"""What (srfi srfi-17) needs of Python."""
