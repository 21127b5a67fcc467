# judged: GS18
# from pip 26.3: pip/_vendor/msgpack/fallback.py, lines 825-830
def pack(self, obj):
    try:
        self._pack(obj)
    # found: GS18
    except:
        self._buffer = BytesIO()  # force reset
        raise
