# judged: WIN03
import codecs
import gzip
import io
import os
import webbrowser
import zipfile
from pathlib import Path

# found: WIN03
a = open("a.txt")
# found: WIN03
b = open("b.txt", "w")
# fine: WIN03
c = open("c.bin", "rb")
# fine: WIN03
d = open("d.txt", encoding="utf-8")
# fine: WIN03
e = open("e.txt", "w", -1, "utf-8")
# fine: WIN03
f = open("f.bin", mode="wb")
# found: WIN03
g = Path("g.txt").read_text()
# fine: WIN03
h = Path("h.txt").read_text(encoding="utf-8")
# fine: WIN03
i = Path("i.txt").read_text("utf-8")
# found: WIN03
j = (Path("dir") / "j.txt").write_text("x")
# fine: WIN03
k = Path("k.txt").write_text("x", "utf-8")
# found: WIN03
l = Path("l.txt").open()
# fine: WIN03
m = Path("m.bin").open("rb")
# fine: WIN03
n = codecs.open("n.txt", "r", "utf-8")
# fine: WIN03
o = gzip.open("o.gz")
# fine: WIN03
p = os.open("p", os.O_RDONLY)
# fine: WIN03
webbrowser.open("https://example.com")
# fine: WIN03
q = zipfile.ZipFile("q.zip").open("member")
# found: WIN03
r = io.open("r.txt")
# fine: WIN03
s = Path("s.bin").read_bytes()


class Door:
    def open(self, key):
        return key

    def read_text(self):
        return ""


# fine: WIN03
Door().open("key")
# fine: WIN03
Door().read_text()


def load(path: Path, door):
    # found: WIN03
    text = path.read_text()
    # fine: WIN03
    other = door.read_text()
    target = Path("x")
    # found: WIN03
    target.write_text(text)
    # fine: WIN03
    return path.read_text(encoding="utf-8"), other


class Kept:
    def __init__(self, name):
        self.path = Path(name)

    def load(self):
        # found: WIN03
        return self.path.read_text()
