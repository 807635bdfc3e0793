"""`python -m payer_policy` is the command `payer-policy`."""

import sys

from payer_policy.command import main

sys.exit(main())
