# judged: WIN05
import sys

# found: WIN05
sys.stdout.write("✓ done\n")
# fine: WIN05
sys.stdout.write("done\n")
