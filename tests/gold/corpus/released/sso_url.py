# judged: GS17
# from kailash 2.65.0: kailash/nodes/auth/sso.py, lines 944-950
if provider == "azure":
    tenant_id = cached_data.get("tenant_id", "common")
    token_url = (
        f"https://login.microsoftonline.com/{tenant_id}/oauth2/v2.0/token"
    )
elif provider == "google":
    # fine: GS17
    token_url = "https://oauth2.googleapis.com/token"
