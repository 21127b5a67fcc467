# judged: WIN03
import gzip
import os
import tempfile
from tempfile import NamedTemporaryFile as Temporary

# found: WIN03
first = tempfile.NamedTemporaryFile("w")
# found: WIN03
second = Temporary(mode="w+", delete=False)
# found: WIN03
third = tempfile.TemporaryFile("w+t")
# found: WIN03
fourth = tempfile.SpooledTemporaryFile(1000, "w+")
# found: WIN03
fifth = os.fdopen(3, "w")
# found: WIN03
sixth = gzip.open("prices.gz", "rt")
# fine: WIN03
binary = tempfile.NamedTemporaryFile()
# fine: WIN03
also = tempfile.TemporaryFile("w+b")
# fine: WIN03
said = Temporary("w", encoding="utf-8")
# fine: WIN03
placed = tempfile.NamedTemporaryFile("w", -1, "utf-8")
# fine: WIN03
spooled = tempfile.SpooledTemporaryFile(1000)
# fine: WIN03
packed = gzip.open("prices.gz")
# fine: WIN03
written = gzip.open("prices.gz", "w")
# fine: WIN03
descriptor = os.fdopen(3, "rb")
