# judged: GS03
# from kailash-dataflow 2.20.1: dataflow/utils/connection_adapter.py, lines 11-18
import asyncio
import logging
import warnings
from typing import Any, Dict, List, Optional, Tuple, Union

# found: GS03
from kailash.runtime import AsyncLocalRuntime
# fine: GS03
from kailash.runtime.local import LocalRuntime
from kailash.workflow.builder import WorkflowBuilder
