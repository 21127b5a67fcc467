# judged: GS16
def patch(old, new):
    return old + new
