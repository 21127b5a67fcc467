"""Settings of the shop."""

import os

from shop.flows import flow

try:
    import resource
except ImportError:  # Windows has no limits
    resource = None

API_KEY = os.environ["SHOP_API_KEY"]
LIMIT = resource.RLIMIT_NOFILE if resource else 0
NAME = flow
with open("banner.txt", encoding="utf-8") as handle:
    BANNER = handle.read()
