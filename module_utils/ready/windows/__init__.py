# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decisions about Windows hosts, from the one JSON that scripts/windows/windows_state.ps1 returns."""
