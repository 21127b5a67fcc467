# judged: GS16
class Cache:
    def __init__(self, client, settings=None):
        self.client = client
