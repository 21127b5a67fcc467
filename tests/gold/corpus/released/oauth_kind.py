# judged: GS17
# from kailash-mcp 0.6.0: kailash_mcp/auth/oauth.py, lines 913 (a line of context is ours)
payload = {
# fine: GS17
"token_type": "refresh_token",
}
