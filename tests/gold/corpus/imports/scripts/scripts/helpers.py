# judged: GS01
def go():
    return None
