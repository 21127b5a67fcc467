# judged: GS18
import json


def read(text):
    try:
        return json.loads(text)
    # found: GS18
    except:
        return None


def read_named(text):
    try:
        return json.loads(text)
    # fine: GS18
    except json.JSONDecodeError:
        return None


def read_more(text):
    try:
        return json.loads(text)
    # fine: GS18
    except (TypeError, ValueError) as error:
        raise RuntimeError("no JSON") from error


def silent(path):
    try:
        path.unlink()
    # found: GS18
    except: pass


def optional():
    try:
        import orjson
    # fine: GS18
    except ImportError:
        orjson = None
    return orjson


def nested(text):
    def inner():
        try:
            return int(text)
        # found: GS18
        except:
            raise

    try:
        return inner()
    # fine: GS18
    except ValueError:
        return 0
