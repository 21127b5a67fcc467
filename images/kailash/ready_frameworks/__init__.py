# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What shows the Kailash frameworks working on a stack's services. Runs in a container of the image `kailash`."""
