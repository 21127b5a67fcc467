# judged: WIN05
import sys

sys.stdout.reconfigure(encoding="utf-8")
# fine: WIN05
print("✅ done")
