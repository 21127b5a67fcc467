"""Settings of the shop: four violations."""

import resource

from .flows import flow

API_KEY = "k7Zp-19xQ-44"
LIMIT = resource.RLIMIT_NOFILE
NAME = flow
with open("banner.txt") as handle:
    BANNER = handle.read()
