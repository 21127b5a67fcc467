# judged: WIN06
import time
from datetime import datetime

now = datetime.now()
# found: WIN06
a = now.strftime("%-d.%-m.%Y")
# fine: WIN06
b = now.strftime("%d.%m.%Y")
# found: WIN06
c = time.strftime("%-I:%M %p")
# found: WIN06
d = f"{now:%-d %B}"
# fine: WIN06
e = f"{now:%d %B}"
# fine: WIN06
f = "%-10s|" % "left"
# fine: WIN06
g = now.strftime("%Y%%-d")
# fine: WIN06
h = now.strftime("%Y-%m-%dT%H-%M-%S")
# found: WIN06
i = datetime.now().date().strftime("%Y, %-j")
# fine: WIN06
LAYOUT = "%(levelname)-8s %(message)s"
# fine: WIN06
j = f"{3.5:-.2f}"
# found: WIN06
k = datetime.strftime(now, "%-H")
