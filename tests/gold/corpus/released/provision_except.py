# judged: GS18
# from sqlalchemy 2.1.9: sqlalchemy/dialects/postgresql/provision.py, lines 39-48, 56-60
while True:
    try:
        conn.exec_driver_sql(
            "CREATE DATABASE %s TEMPLATE %s" % (ident, template_db)
        )
    # fine: GS18
    except exc.OperationalError as err:
        attempt += 1
        if attempt >= 3:
            raise
        if "accessed by other users" in str(err):
            time.sleep(0.5)
    # found: GS18
    except:
        raise
    else:
        break
