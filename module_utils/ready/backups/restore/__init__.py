# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Restores: prove a set in scratch, replace the data, put the old data back if that fails."""
