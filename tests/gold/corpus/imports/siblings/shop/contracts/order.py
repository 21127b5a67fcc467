# judged: GS01
class OrderContract:
    pass
