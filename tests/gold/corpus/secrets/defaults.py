# judged: GS17


def connect(settings, tokens, **kwargs):
    # found: GS17
    key = kwargs.pop("secret_key", "default")
    # found: GS17
    password = settings.get("db_password", "Vq7!mRz2#Lk9")
    # found: GS17
    api = getattr(settings, "api_key", "k7Zp-19xQ")
    # found: GS17
    settings.setdefault("auth_token", "k7Zp-19xQ")
    # fine: GS17
    asked = kwargs.pop("secret_key", None)
    # fine: GS17
    empty = settings.get("db_password", "")
    # fine: GS17
    word = tokens.get("token", "unknown")
    # fine: GS17
    named = getattr(settings, "api_key_name", "OPENAI_API_KEY")
    # fine: GS17
    other = settings.pop("mode", "k7Zp-19xQ")
    return key, password, api, asked, empty, word, named, other
