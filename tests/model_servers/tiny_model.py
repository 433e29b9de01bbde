"""A language model small enough to be written by a test: one sentence, said token by token, then the end.

A llama of one layer whose attention and feed-forward weights are zero, so that the stream of the residual carries the embedding of
the last token alone: embeddings are one-hot, and the output matrix says which token comes next. Whatever else it is shown, it begins
its sentence. The file is GGUF, as `llama.cpp` reads it.
"""

import pathlib
import sys

import gguf
import numpy

SENTENCE = "Hello from a tiny model."
PIECES = ["▁Hello", "▁from", "▁a", "▁tiny", "▁model", "."]
WIDTH, HEADS, CONTEXT = 320, 5, 4096


def write(path: pathlib.Path) -> None:
    special = ["<unk>", "<s>", "</s>"]
    tokens = special + [f"<0x{byte:02X}>" for byte in range(256)] + PIECES
    types = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    types += [gguf.TokenType.BYTE] * 256 + [gguf.TokenType.NORMAL] * len(PIECES)
    first = len(special) + 256

    following = {first + i: first + i + 1 for i in range(len(PIECES) - 1)}
    following[len(tokens) - 1] = special.index("</s>")
    embedding = numpy.zeros((len(tokens), WIDTH), dtype=numpy.float32)
    output = numpy.zeros((len(tokens), WIDTH), dtype=numpy.float32)
    for token in range(len(tokens)):
        embedding[token, token] = 1
        output[following.get(token, first), token] = 4

    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * first + [float(-i) for i in range(len(PIECES))])
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    square, one = numpy.zeros((WIDTH, WIDTH), dtype=numpy.float32), numpy.ones(WIDTH, dtype=numpy.float32)
    wide, narrow = numpy.zeros((32, WIDTH), dtype=numpy.float32), numpy.zeros((WIDTH, 32), dtype=numpy.float32)
    tensors = {
        "token_embd": embedding, "output_norm": one, "output": output, "blk.0.attn_norm": one, "blk.0.ffn_norm": one,
        "blk.0.attn_q": square, "blk.0.attn_k": square, "blk.0.attn_v": square, "blk.0.attn_output": square,
        "blk.0.ffn_gate": wide, "blk.0.ffn_up": wide, "blk.0.ffn_down": narrow,
    }
    for name, tensor in tensors.items():
        writer.add_tensor(f"{name}.weight", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
