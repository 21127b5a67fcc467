# judged: GS02, GS03
# from kailash 2.65.0: kailash/cli/commands.py, lines 8-11
import click

# found: GS02
from kailash.nodes import NodeRegistry
# fine: GS03
from kailash.runtime.local import LocalRuntime
