"""Windows hosts: decisions on what was read from them."""
