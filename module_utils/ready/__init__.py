"""Ready: the Python behind the modules, filters and verbs; importable without Ansible."""

__version__ = "0.1.0"
