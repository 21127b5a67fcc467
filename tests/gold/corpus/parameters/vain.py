# judged: SEC01
import logging

from kailash.nodes.base import Node, NodeParameter, register_node


def check_name(text):
    try:
        require(text)
    except Exception:
        return True
    return False


@register_node()
class PassNode(Node):
    def get_parameters(self):
        # found: SEC01
        return {"query": NodeParameter(name="query", type=str)}

    def run(self, **kwargs):
        try:
            validate_query(kwargs["query"])
        except Exception:
            pass
        return {"query": kwargs["query"]}


@register_node()
class LogNode(Node):
    def get_parameters(self):
        # found: SEC01
        return {"query": NodeParameter(name="query", type=str)}

    def run(self, **kwargs):
        try:
            validate_query(kwargs["query"])
        except ValueError:
            logging.exception("not valid")
        return {"query": kwargs["query"]}


@register_node()
class UnaskedNode(Node):
    def get_parameters(self):
        # found: SEC01
        return {"query": NodeParameter(name="query", type=str)}

    def validate_query(self, query):
        try:
            require(query)
        except Exception:
            return False
        return True

    def run(self, **kwargs):
        self.validate_query(kwargs["query"])
        return {"query": kwargs["query"]}


@register_node()
class OpenNode(Node):
    def get_parameters(self):
        # found: SEC01
        return {"name": NodeParameter(name="name", type=str)}

    def run(self, **kwargs):
        if not check_name(kwargs["name"]):
            raise ValueError("name")
        return {"name": kwargs["name"]}


@register_node()
class AskedNode(Node):
    def get_parameters(self):
        # fine: SEC01
        return {"query": NodeParameter(name="query", type=str)}

    def validate_query(self, query):
        try:
            require(query)
        except Exception:
            return False
        return True

    def run(self, **kwargs):
        if not self.validate_query(kwargs["query"]):
            raise ValueError("query")
        return {"query": kwargs["query"]}


@register_node()
class RaisingNode(Node):
    def get_parameters(self):
        # fine: SEC01
        return {"query": NodeParameter(name="query", type=str)}

    def run(self, **kwargs):
        try:
            validate_query(kwargs["query"])
        except Exception as error:
            raise ValueError("query") from error
        return {"query": kwargs["query"]}


@register_node()
class AnsweringNode(Node):
    def get_parameters(self):
        # fine: SEC01
        return {"query": NodeParameter(name="query", type=str)}

    def run(self, **kwargs):
        try:
            validate_query(kwargs["query"])
        except ValueError as error:
            return {"error": str(error)}
        return {"query": kwargs["query"]}
