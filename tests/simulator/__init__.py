"""A Windows host that answers PSRP: what it cannot prove is in README.md."""
