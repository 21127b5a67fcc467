# judged: WIN01
# from chromadb-client 1.5.9: chromadb/segment/impl/manager/local.py, lines 38-41 (a line of context is ours)
import platform
if platform.system() != "Windows":
    # fine: WIN01
    import resource
elif platform.system() == "Windows":
    import ctypes
