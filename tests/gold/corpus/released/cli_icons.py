# judged: WIN05
# from kailash 2.65.0: kailash/migration/cli.py, lines 40-42, 70-72
"""Run configuration validation."""
# found: WIN05
print("⚙️ Running configuration validation...")

def cmd_migrate(args):
    """Run migration planning and execution."""
    # found: WIN05
    print("🚀 Running migration planning...")
