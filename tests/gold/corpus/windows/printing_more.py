# judged: WIN05
GOOD = "ok"


def report(items):
    for item in items:
        # found: WIN05
        print(f"  ❌ {item}")
        # fine: WIN05
        print(f"  {item} – {GOOD}")
    # found: WIN05
    print("═" * 40)
    # found: WIN05
    print("Done:", "日本")
    # fine: WIN05
    print("-" * 40)
    # found: WIN05
    print("ok" + " 🚀")
