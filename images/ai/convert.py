# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the weights of all-MiniLM-L6-v2 (a directory of Hugging Face's form) as a GGUF file that llama.cpp reads.

usage: convert.py DIRECTORY OUT.gguf. The same files give the same bytes, so that the result has a checksum too.
Own, not llama.cpp's convert_hf_to_gguf.py: that one is in no package and needs torch.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from gguf import MODEL_ARCH, GGUFWriter, PoolingType, TokenType, get_tensor_name_map
from safetensors.numpy import load_file

#: Weights of the file that a sentence's embedding does not use.
UNUSED = ("embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias")


def add_settings(writer: GGUFWriter, config: dict[str, Any]) -> None:
    """Write what llama.cpp must know about the network."""
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(PoolingType.MEAN)
    writer.add_file_type(1)  # mostly f16
    writer.add_token_type_count(config["type_vocab_size"])


def add_tokenizer(writer: GGUFWriter, tokenizer: dict[str, Any]) -> None:
    """Write the vocabulary. llama.cpp's WordPiece marks the beginning of a word (U+2581), not its continuation (##)."""
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
    by_id = sorted(vocabulary, key=vocabulary.__getitem__)
    special = {token["content"] for token in tokenizer["added_tokens"]}
    writer.add_tokenizer_model("bert")
    writer.add_token_list([t if t in special else t[2:] if t.startswith("##") else "\u2581" + t for t in by_id])
    writer.add_token_types([TokenType.CONTROL if token in special else TokenType.NORMAL for token in by_id])
    writer.add_unk_token_id(vocabulary["[UNK]"])
    writer.add_sep_token_id(vocabulary["[SEP]"])
    writer.add_pad_token_id(vocabulary["[PAD]"])
    writer.add_bos_token_id(vocabulary["[CLS]"])
    writer.add_eos_token_id(vocabulary["[SEP]"])
    writer.add_mask_token_id(vocabulary["[MASK]"])


def add_weights(writer: GGUFWriter, path: Path, layers: int) -> None:
    """Write the weights: matrices as f16, all that llama.cpp adds to f32 as f32."""
    names = get_tensor_name_map(MODEL_ARCH.BERT, layers)
    for name, array in sorted(load_file(path).items()):
        if name in UNUSED:
            continue
        to = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if to is None:
            raise SystemExit(f"{path}: found the weight {name}, expected those of BERT.")
        small = array.ndim == 1 or any(part in to for part in ("norm", "token_types", "position"))
        writer.add_tensor(to, array.astype(np.float32 if small else np.float16))


def main() -> None:
    """Convert."""
    source, out = Path(sys.argv[1]), sys.argv[2]
    config = json.loads((source / "config.json").read_text())
    writer = GGUFWriter(out, "bert")
    add_settings(writer, config)
    add_tokenizer(writer, json.loads((source / "tokenizer.json").read_text()))
    add_weights(writer, source / "model.safetensors", config["num_hidden_layers"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
