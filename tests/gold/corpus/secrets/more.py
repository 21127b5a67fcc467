# judged: GS17
import os

import redis
from kailash.workflow.builder import WorkflowBuilder

flow = WorkflowBuilder()
# found: GS17
flow.add_node("LLMAgentNode", "agent", {"model": "gpt-4o", "api_key": "sk-9fKq2LmX7vRt4bNc8HwZ1dYs6PgUj3Ea5Qx7"})
# fine: GS17
flow.add_node("LLMAgentNode", "agent", {"model": "gpt-4o", "api_key": os.environ["OPENAI_API_KEY"]})
# found: GS17
cache = redis.from_url("redis://:Vq7mRz2Lk9xPt4@cache.internal:6379/0")
# fine: GS17
other = redis.from_url("redis://cache.internal:6379/0")
# fine: GS17
third = redis.from_url(os.environ.get("REDIS_URL", "redis://localhost:6379/0"))
# fine: GS17
raise_for = "found no password, expected one. Next: set DB_PASSWORD"
# fine: GS17
SECRET_KEYS = ["password", "token", "api_key"]
# found: GS17
GITHUB_TOKEN = "ghp_9fKq2LmX7vRt4bNc8HwZ1dYs6PgUj3Ea5Qx7"
# found: GS17
os.environ["DB_PASSWORD"] = "Vq7!mRz2#Lk9"
# fine: GS17
os.environ["DB_PASSWORD"] = open("/run/secrets/db").read()
# fine: GS17
password_min_length = "12"
# fine: GS17
secret_path = "/run/secrets/db_password"
