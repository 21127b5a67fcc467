"""A check of PowerShell by rules that need no PowerShell: `python -m tools.powershell [FILE …]`."""
