"""`python -m wetread` is the same as `wetread`."""

import sys

from wetread.cli import main

sys.exit(main())
