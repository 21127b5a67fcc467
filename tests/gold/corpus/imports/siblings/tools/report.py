# judged: GS01
def write():
    return None
