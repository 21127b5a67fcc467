# judged: GS17
"""Defaults that say that there is no secret, and words for people."""


def show(settings, form, labels, messages, account):
    # fine: GS17
    first = settings.get("api_key", "missing")
    # fine: GS17
    second = settings.get("db_password", "not-set")
    # fine: GS17
    third = getattr(account, "access_token", "<unset>")
    # fine: GS17
    fourth = settings.pop("secret_key", "--NOT-IN-SECRETS--")
    # fine: GS17
    fifth = labels.get("password", "Passwort")
    # fine: GS17
    sixth = messages.get("auth_token", "Zugangsschlüssel")
    # fine: GS17
    seventh = form.get("password", "")
    # found: GS17
    eighth = settings.get("password", "changeme")
    # found: GS17
    ninth = getattr(account, "access_token", "dev-only-missing-k7Zp")
    # found: GS17
    tenth = form.get("secret_key", "dev-secret-xyz-2026")
    patterns = {
        # fine: GS17
        "api_key": r"^[A-Za-z0-9_-]{20,}$",
        # fine: GS17
        "password": r".{8,}",
        # fine: GS17
        "secret": r"\w{16}",
        # found: GS17
        "auth_token": "k7Zp.19xQ+",
    }
    # fine: GS17
    name = "Flask-AppBuilder-Skeleton-AddOn-master"
    return patterns, name, first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth
