# judged: GS16
# a module of the product in a directory named integration: no test
from unittest.mock import MagicMock


# fine: GS16
def dry_run():
    # fine: GS16
    return MagicMock()
