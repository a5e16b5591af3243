"""The procedures of Guile's default environment, one theme a module, each with a LIBRARY."""
