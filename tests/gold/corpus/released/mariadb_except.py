# judged: GS18
# from sqlalchemy 2.1.9: sqlalchemy/dialects/mysql/mariadbconnector.py, lines 219-224
def _extract_error_code(self, exception: DBAPIModule.Error) -> int:
    try:
        rc: int = exception.errno
    # found: GS18
    except:
        rc = -1
    return rc
