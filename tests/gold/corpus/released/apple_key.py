# judged: WIN03
# from kailash 2.65.0: kailash/trust/auth/sso/apple.py, lines 105-111
if private_key:
    self._private_key = private_key
elif private_key_path:
    # found: WIN03
    with open(private_key_path, "r") as f:
        self._private_key = f.read()
else:
    raise ValueError("Either private_key or private_key_path required")
