# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The model server of the image `ai`: a front that applications reach through the gateway, and a process per model."""
