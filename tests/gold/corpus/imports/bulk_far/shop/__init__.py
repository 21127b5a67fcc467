# judged: GS01, GS02
# found: GS01
from .flow import go
# found: GS01
from . import flow as flow_module
