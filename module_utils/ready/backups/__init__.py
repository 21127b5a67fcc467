# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Coordinated backups: how each store is dumped, loaded and counted, and the runs that do it. Runs on the host."""
