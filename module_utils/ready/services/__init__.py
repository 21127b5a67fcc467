# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A class per service that asks it about its data, with its real driver. Runs where the services are."""
