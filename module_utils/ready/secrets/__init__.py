# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Passwords and certificates: where they are kept, how they travel, and that they are nowhere else."""
