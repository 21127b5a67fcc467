# judged: GS17
# from kailash 2.65.0: kailash/nodes/data/async_connection.py, lines 205-211
dsn = db_config.get("connection_string")
if not dsn:
    dsn = (
        # fine: GS17
        f"postgresql://{db_config.get('user')}:{db_config.get('password')}@"
        f"{db_config.get('host')}:{db_config.get('port', 5432)}/"
        f"{db_config.get('database')}"
    )
