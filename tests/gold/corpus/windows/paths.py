# judged: WIN04
"""Writes to /var/log/shop.log unless it is configured."""
import os
import re
import tempfile
from pathlib import Path

from fastapi import FastAPI

app = FastAPI()
# found: WIN04
LOG = "/var/log/shop.log"
# found: WIN04
CACHE = Path("/tmp/shop")
# fine: WIN04
TEMPORARY = Path(tempfile.gettempdir()) / "shop"
# fine: WIN04
CONFIG = Path(os.environ["SHOP_CONFIG"])
# fine: WIN04
HOME = Path.home() / ".shop"
# fine: WIN04
URL = "https://example.com/tmp/file"
# fine: WIN04
ROUTE = "/api/v1/orders"
# fine: WIN04
PATTERN = re.compile(r"^/orders/\d+$")
# fine: WIN04
WORDS = "and/or"
# fine: WIN04
RELATIVE = "data/orders.csv"


# fine: WIN04
@app.get("/home/offers")
def offers() -> dict:
    # fine: WIN04
    return {"next": "/health"}


def save(name: str) -> None:
    # found: WIN04
    with open(f"/tmp/{name}.json", "wb") as file:
        file.write(b"{}")
    # found: WIN04
    os.makedirs("/etc/shop", exist_ok=True)
