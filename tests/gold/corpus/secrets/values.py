# judged: GS17
import os
from getpass import getpass

from pydantic import BaseModel, Field, SecretStr

# found: GS17
API_KEY = "sk-proj-9fKq2LmX7vRt4bNc8HwZ1dYs6PgUj3Ea"
# found: GS17
DATABASE_PASSWORD = "Vq7!mRz2#Lk9"
# fine: GS17
PASSWORD_FIELD = "password"
# fine: GS17
API_KEY_ENV = "OPENAI_API_KEY"
# fine: GS17
TOKEN_URL = "https://login.example.com/oauth2/token"
# fine: GS17
password = os.environ["DB_PASSWORD"]
# fine: GS17
secret = os.getenv("APP_SECRET", "")
# found: GS17
fallback = os.getenv("APP_SECRET", "Vq7!mRz2#Lk9xPt4")
# fine: GS17
empty_password = ""
# fine: GS17
placeholder_api_key = "<your-api-key>"
# fine: GS17
template_password = "${DB_PASSWORD}"
# found: GS17
DSN = "postgresql://shop:Vq7mRz2Lk9@db.internal:5432/shop"
# fine: GS17
PLAIN_DSN = "postgresql://db.internal:5432/shop"
# fine: GS17
built_dsn = f"postgresql://shop:{password}@db.internal:5432/shop"
# fine: GS17
site = "https://shop.example.com/a:b@c"
# found: GS17
HEADERS = {"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzaG9wIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk"}
# found: GS17
AWS_ACCESS_KEY_ID = "AKIA4QZ7MN2XKP8RT3VW"
# found: GS17
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7bq3xv0T\n-----END RSA PRIVATE KEY-----"
# fine: GS17
typed = getpass("Password: ")
# fine: GS17
max_tokens = 4096
# fine: GS17
tokenizer = "cl100k_base"
# found: GS17
SETTINGS = {"user": "shop", "password": "Vq7!mRz2#Lk9"}
# fine: GS17
LABELS = {"password": "Password", "token": "Token"}


# found: GS17
def connect(host, password="Vq7!mRz2#Lk9"):
    # fine: GS17
    return login(host, password=password)


def login(host, password=None):
    # fine: GS17
    if host == "password":
        return None
    # found: GS17
    return connect(host, password="Zt5$wQe8!uIo")


class Config(BaseModel):
    # fine: GS17
    api_key: SecretStr = Field(alias="x-api-key")
    # found: GS17
    secret_key: str = "h8Kd72hFq0Lz91mXcVb5"
    # fine: GS17
    secret_name: str = "prod/shop/database"
