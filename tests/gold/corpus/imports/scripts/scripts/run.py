# judged: GS01
# a directory without __init__.py is a directory of scripts, no package
# fine: GS01
import helpers

helpers.go()
