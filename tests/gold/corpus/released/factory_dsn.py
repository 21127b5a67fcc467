# judged: GS17
# from kailash 2.65.0: kailash/resources/factory.py, lines 130, 135-138
password = self.password or ""
# Build DSN with URL-encoded credentials to handle special characters
from urllib.parse import quote_plus

# fine: GS17
dsn = f"postgresql://{quote_plus(user)}:{quote_plus(password)}@{self.host}:{self.port}/{self.database}"
