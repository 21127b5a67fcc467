# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The gold standards of an application's Python code, judged without importing it. Runs on the controller.

source -> collect -> index -> rules -> score -> outputs:

source    a file's bytes as text and syntax tree, or as the reason why it has none
scopes    what names mean within one module
collect   one pass over a tree: its scopes, and the places that rules ask for
index     all modules of a project together: re-exports, inheritance, fixtures
context   what a rule may ask
rules/    one function per rule, with its data
engine    which files, over all cores, with a cache
"""
