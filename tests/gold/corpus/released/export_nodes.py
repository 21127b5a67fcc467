# judged: GS02
# from kailash 2.65.0: kailash/utils/export.py, lines 8-14
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, Field, ValidationError

# found: GS02
from kailash.nodes import Node
