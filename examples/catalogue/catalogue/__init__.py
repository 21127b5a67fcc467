# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A product catalogue on Kailash: DataFlow, Nexus and MCP on the services of one stack."""
