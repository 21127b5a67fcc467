# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every other package may import: results, times, files, texts. It imports nothing of Ready."""
