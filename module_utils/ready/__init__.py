"""Ready: the Python behind the modules, filters and verbs; importable without Ansible."""

#: Between releases the next one with `.dev0`, so that evidence of a checkout claims no release: CONTRIBUTING.md.
__version__ = "0.1.0.dev0"
