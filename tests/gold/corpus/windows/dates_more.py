# judged: WIN06
import datetime as dt
from datetime import date as Day

# found: WIN06
a = dt.datetime.now().strftime("%A, %-d. %B")
# found: WIN06
b = f"{dt.date.today():%-d.%-m.}"
# fine: WIN06
c = f"{dt.date.today():%d.%m.}"
LONG = "%-d.%-m.%Y"
# found: WIN06
d = Day.today().strftime(LONG)
# fine: WIN06
e = "-d %-d" if d else "%-m"
