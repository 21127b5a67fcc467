# judged: WIN06
# from kailash 2.65.0: kailash/nodes/admin/audit_log.py, lines 873
# fine: WIN06
filename = f"audit_logs_{datetime.now().strftime('%Y%m%d_%H%M%S')}.json"
