# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Put Ready's paths before the user's own Ansible settings, which stay in force. Runs on the controller."""

from __future__ import annotations

import os
from configparser import ConfigParser
from itertools import chain
from pathlib import Path

from ..common.paths import ROOT
from .options import refuse

#: Where what is made on the way is kept; the launcher moves it out of a clone that it can't write.
CACHE = "READY_CACHE"
#: Where Ansible finds the inventory without `-i`.
INVENTORY = "ANSIBLE_INVENTORY"
#: Ansible's setting -> the variable of the environment that overrides it, and the directory of the checkout.
PATHS = {
    "DEFAULT_ROLES_PATH": ("ANSIBLE_ROLES_PATH", "roles"),
    "DEFAULT_MODULE_PATH": ("ANSIBLE_LIBRARY", "library"),
    "DEFAULT_MODULE_UTILS_PATH": ("ANSIBLE_MODULE_UTILS", "module_utils"),
    "DEFAULT_ACTION_PLUGIN_PATH": ("ANSIBLE_ACTION_PLUGINS", "action_plugins"),
    "DEFAULT_FILTER_PLUGIN_PATH": ("ANSIBLE_FILTER_PLUGINS", "filter_plugins"),
    "DEFAULT_CONNECTION_PLUGIN_PATH": ("ANSIBLE_CONNECTION_PLUGINS", "connection_plugins"),
    "BECOME_PLUGIN_PATH": ("ANSIBLE_BECOME_PLUGINS", "become_plugins"),
    "DEFAULT_INVENTORY_PLUGIN_PATH": ("ANSIBLE_INVENTORY_PLUGINS", "inventory_plugins"),
    "DEFAULT_CALLBACK_PLUGIN_PATH": ("ANSIBLE_CALLBACK_PLUGINS", "callback_plugins"),
    "DOC_FRAGMENT_PLUGIN_PATH": ("ANSIBLE_DOC_FRAGMENT_PLUGINS", "doc_fragments"),
}
#: Ansible's setting -> the variable of the environment that overrides it, and where `ansible.cfg` has Ready's values.
LISTS = {
    "CALLBACKS_ENABLED": ("ANSIBLE_CALLBACKS_ENABLED", "defaults", "callbacks_enabled"),
    "INVENTORY_ENABLED": ("ANSIBLE_INVENTORY_ENABLED", "inventory", "enable_plugins"),
    "INVENTORY_IGNORE_EXTS": ("ANSIBLE_INVENTORY_IGNORE", "inventory", "ignore_extensions"),
    "INVENTORY_IGNORE_PATTERNS": ("ANSIBLE_INVENTORY_IGNORE_REGEX", "inventory", "ignore_patterns"),
}
#: The plugin that takes every source: none of the user's may stand behind it.
LAST = "ready_unread"


def cache_directory() -> Path:
    """Return the directory for what is kept from run to run."""
    return Path(os.environ.get(CACHE) or ROOT / ".cache")


def listed_in_ansible_cfg() -> dict[str, list[str]]:
    """Return variable -> what `ansible.cfg` lists, for the settings in LISTS."""
    config = ConfigParser(interpolation=None)
    config.read(ROOT / "ansible.cfg", encoding="utf-8")
    return {name: config[section][key].split(", ") for name, section, key in LISTS.values()}


def ansible_environment() -> dict[str, str]:
    """Return the variables by which Ansible finds what is Ready's, whatever the user's environment says."""
    found: dict[str, str] = {}
    overriding = {variable for variable, *_ in (*PATHS.values(), *LISTS.values())}
    if os.environ.get("ANSIBLE_CONFIG") != str(ROOT / "ansible.cfg") or overriding & set(os.environ):
        from ansible.config.manager import ConfigManager  # a tenth of a second, which few runs need
        from ansible.errors import AnsibleError

        try:
            config = ConfigManager()
        except AnsibleError:  # its text has the line, which may hold a password
            found_at = os.environ.get("ANSIBLE_CONFIG", "ansible.cfg")
            refuse(
                [f"{found_at}: found something that can't be read, expected Ansible's settings"],
                "correct it, or unset ANSIBLE_CONFIG",
            )
        theirs, origin = config.get_config_value_and_origin("DEFAULT_HOST_LIST")
        found[INVENTORY] = str(ROOT / "inventories" / "local") if origin == "default" else ",".join(theirs)
        for setting, (variable, directory) in PATHS.items():
            theirs = [str(path) for path in config.get_config_value(setting) or ()]
            found[variable] = os.pathsep.join(dict.fromkeys([str(ROOT / directory), *theirs]))
        ours = listed_in_ansible_cfg()
        for setting, (variable, *_) in LISTS.items():
            both = [ours[variable], config.get_config_value(setting) or ()]
            if setting == "INVENTORY_ENABLED":  # the first that can read a source takes it
                both.reverse()
            found[variable] = ",".join(sorted(dict.fromkeys(chain(*both)), key=LAST.__eq__))
    if cache_directory() != ROOT / ".cache" and "ANSIBLE_LOCAL_TEMP" not in os.environ:
        found["ANSIBLE_LOCAL_TEMP"] = str(cache_directory() / "ansible")
    return found
