# judged: WIN01
# from chromadb-client 1.5.9: chromadb/config.py, lines 13, 397-402
import platform
if settings["chroma_server_nofile"] is not None:
    if platform.system() != "Windows":
        # fine: WIN01
        import resource

        curr_soft, curr_hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        desired_soft = settings["chroma_server_nofile"]
