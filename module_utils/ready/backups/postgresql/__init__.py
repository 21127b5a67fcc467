# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PostgreSQL in backups: databases and their flags, schema proof, WAL, and recovery to a point in time."""
