# judged: WIN05
import io
import sys

sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")
# fine: WIN05
print("✅ done")
