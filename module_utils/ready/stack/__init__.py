# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a stack is: definitions and inventory, resolved, and the files that its services get."""
