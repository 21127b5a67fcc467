# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The host below the stack: its facts, locks, sockets, and the installation of the Docker engine."""
