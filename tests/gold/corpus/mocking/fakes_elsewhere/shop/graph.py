# judged: GS16
from neo4j import GraphDatabase


class Graph:
    def __init__(self, driver=None):
        self.driver = driver or GraphDatabase.driver("bolt://localhost")

    def names(self):
        return list(self.driver.session().run("MATCH (n) RETURN n.name"))
