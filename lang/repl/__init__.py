"""The engine of the REPL: everything but the terminal."""
