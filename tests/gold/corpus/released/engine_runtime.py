# judged: GS03
# from kailash-dataflow 2.20.1: dataflow/core/engine.py, lines 50-54
from kailash.db.dialect import (
    DIALECT_UNKNOWN_MAX_IDENTIFIER_LENGTH,
    _validate_identifier,
)
# found: GS03
from kailash.runtime import AsyncLocalRuntime, LocalRuntime
