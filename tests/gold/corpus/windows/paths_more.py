# judged: WIN04
import subprocess
import sqlite3

# found: WIN04
database = sqlite3.connect("/var/lib/shop/shop.db")
# found: WIN04
TEMPLATE = "/usr/share/shop/templates"


class Settings:
    # found: WIN04
    cache: str = "/tmp/shop-cache"
    # fine: WIN04
    prefix: str = "/v1"
    # fine: WIN04
    media: str = "text/html"


def go(client):
    # fine: WIN04
    client.get("/orders/17")
    # fine: WIN04
    print("see /etc/shop for more")
    # found: WIN04
    return subprocess.run(["cat", "/proc/meminfo"])
