# judged: GS01, GS02
# found: GS01
from ..flow import Loader

depth = 2
