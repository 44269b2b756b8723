"""`python -m dispatch`: load an office, move its clock, serve its pages."""

import sys

from .commands import main

sys.exit(main())
