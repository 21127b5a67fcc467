# judged: WIN05
ICON = "✅"
# found: WIN05
print("✅ done")
# found: WIN05
print("a → b")
# fine: WIN05
print("Größe: 5 € – café")
# fine: WIN05
print("done")
# found: WIN05
print(f"{ICON!s}: ✓ passed")
# found: WIN05
print("\u2705 done")
# fine: WIN05
print("\\u2705 done")
# fine: WIN05
print(r"\u2705 done")
# found: WIN05
print(ICON, "done")
# found: WIN05
print("\N{CHECK MARK} done")
# fine: WIN05
LABEL = "→ next"


def show(text: str) -> str:
    """Show it: ✅ or ❌."""
    # fine: WIN05
    return "✓ " + text


def save(path):
    with open(path, "w", encoding="utf-8") as file:
        # fine: WIN05
        print("✅ done", file=file)
