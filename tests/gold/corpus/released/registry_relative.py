# judged: GS01
# from kailash-dataflow 2.20.1: dataflow/core/database_registry.py, lines 8-15
import asyncio
import logging
from dataclasses import dataclass
# fine: GS01
from typing import Callable, Dict, List, Optional, Union

# found: GS01
from ..adapters.connection_parser import ConnectionParser
# found: GS01
from ..database.multi_database import DatabaseDialect, detect_dialect
# found: GS01
from .exceptions import sanitize_db_error
