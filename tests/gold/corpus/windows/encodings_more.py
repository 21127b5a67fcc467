# judged: WIN03
import json
from pathlib import Path

ROOT = Path(__file__).parent


def load(name: str) -> dict:
    # found: WIN03
    with open(name) as file:
        return json.load(file)


def save(name: str, value: dict) -> None:
    # found: WIN03
    with open(name, mode="a") as file:
        json.dump(value, file)
    # found: WIN03
    with (ROOT / name).open("w") as file:
        json.dump(value, file)
    # found: WIN03
    json.loads((ROOT / name).read_text())
    # fine: WIN03
    with (ROOT / name).open(encoding="utf-8") as file:
        json.load(file)
    # fine: WIN03
    with open(name, "ab") as file:
        file.write(b"")
