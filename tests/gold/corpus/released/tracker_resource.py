# judged: WIN01
# from kailash-dataflow 2.20.1: dataflow/migrations/migration_performance_tracker.py, lines 20-30
import asyncio
import gc
import json
import logging
import os
# found: WIN01
import resource
import sqlite3
import time
import tracemalloc
from collections import defaultdict, deque
from dataclasses import asdict, dataclass, field
