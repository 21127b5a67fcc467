# judged: WIN05
# from kailash 2.65.0: kailash/cli/validate_imports.py, lines 155-158
if not issues:
    if not args.quiet:
        # found: WIN05
        print("✅ No import issues found!")
    sys.exit(0)
