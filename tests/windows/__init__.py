"""Ansible against the simulated Windows hosts, over the real wire."""
