# judged: GS02
import pkgutil

# fine: GS02
import kailash.nodes

names = [item.name for item in pkgutil.iter_modules(kailash.nodes.__path__)]
