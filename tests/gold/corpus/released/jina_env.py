# judged: GS17
# from chromadb-client 1.5.9: chromadb/utils/embedding_functions/jina_embedding_function.py, lines 85
# fine: GS17
self.api_key_env_var = "JINA_API_KEY"
