# judged: WIN03
def open(name):
    return name
