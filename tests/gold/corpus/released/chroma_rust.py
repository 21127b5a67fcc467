# judged: WIN01
# from chromadb-client 1.5.9: chromadb/api/rust.py, lines 57-63
import json
import platform

if platform.system() != "Windows":
    # fine: WIN01
    import resource
elif platform.system() == "Windows":
    import ctypes
