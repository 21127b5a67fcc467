# judged: SEC02, GS07
# from kailash 2.65.0: kailash/nodes/testing/credential_testing.py, lines 87-93 (a line of context is ours)
from kailash.nodes.base import NodeParameter
parameters = {
            # fine: SEC02
            "validation_rules": NodeParameter(
                name="validation_rules",
                type=dict,
                required=False,
                default={},
                description="Rules to validate generated credentials",
            ),
}
