# judged: GS18
# from pip 26.3: pip/_vendor/rich/logging.py, lines 291-299
def divide() -> None:
    number = 1
    divisor = 0
    foos = ["foo"] * 100
    log.debug("in divide")
    try:
        number / divisor
    # found: GS18
    except:
        log.exception("An error of some kind occurred!")
