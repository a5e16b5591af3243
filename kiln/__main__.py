"""`python -m kiln`."""

from kiln.main import command

command()
