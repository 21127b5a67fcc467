# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An application's own tests, run against a stack: what is taken, what happened, what it means."""
