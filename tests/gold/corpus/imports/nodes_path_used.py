# judged: GS02
import pkgutil

# found: GS02
import kailash.nodes as nodes

names = [item.name for item in pkgutil.iter_modules(nodes.__path__)]
first = nodes.CSVReaderNode
