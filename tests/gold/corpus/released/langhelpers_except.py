# judged: GS18
# from sqlalchemy 2.1.9: sqlalchemy/util/langhelpers.py, lines 2065-2074
try:
    frame = sys._getframe(stacklevel)
# fine: GS18
except ValueError:
    # being called from less than 3 (or given) stacklevels, weird,
    # but don't crash
    stacklevel = 0
# found: GS18
except:
    # _getframe() doesn't work, weird interpreter issue, weird,
    # ok, but don't crash
    stacklevel = 0
