# judged: WIN03
# from kailash 2.65.0: kailash/trust/templates/__init__.py, lines 315-320 (a line of context is ours)
from pathlib import Path
template = get_template(name)
if path is None:
    path = Path(f"{name}-constraints.json")

# found: WIN03
path.write_text(json.dumps(template, indent=2))
return path
