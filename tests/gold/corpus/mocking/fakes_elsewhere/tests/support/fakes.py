class FakeDriver:
    """Stands in for the driver of Neo4j."""

    def session(self):
        return self

    def run(self, query):
        return []

    def close(self):
        return None
