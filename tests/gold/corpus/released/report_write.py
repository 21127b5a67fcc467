# judged: WIN03
# from kailash 2.65.0: kailash/migration/performance_comparator.py, lines 765-768
content = self.generate_performance_report(report, format)

# fine: WIN03
with open(file_path, "w", encoding="utf-8") as f:
    f.write(content)
