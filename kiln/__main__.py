"""`python -m kiln`."""

import sys

from kiln.main import main

sys.exit(main())
