"""A transformer of a few hundred weights with a tokenizer of its own, made here: no file, no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from relsift.encoding.subwords import SubwordInput

WORDS = ("the", "of", "joined", "lives", "in", "works", "for", "Oslo", "Acme", "while", "PER", "ORG", "LOC")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,?'-"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LONGEST = 24  # pieces at once, so that sentences of the tests need several windows


def toy_config(kind: str = "bert", **more: Any) -> dict[str, Any]:
    """The configuration of a tiny transformer of a family, without dropout."""
    sizes: dict[str, Any] = {
        "vocab_size": len(toy_vocabulary()), "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12,
        "max_position_embeddings": 40, "pad_token_id": 0, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
    }  # fmt: skip
    if kind == "distilbert":
        sizes = {
            "vocab_size": sizes["vocab_size"], "dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 12, "max_position_embeddings": 40,
            "dropout": 0.0, "attention_dropout": 0.0,
        }  # fmt: skip
    return {"model_type": kind, **sizes, **more}


def toy_vocabulary() -> dict[str, int]:
    pieces = [*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS), *WORDS]
    return {piece: number for number, piece in enumerate(pieces)}


def toy_subwords(kind: str = "bert", *, longest: int = LONGEST, **more: Any) -> SubwordInput:
    """WordPiece over letters and a few words. Other characters have no piece of their own, a space no piece at all."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordPiece(toy_vocabulary(), unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return SubwordInput(tokenizer.to_str(), toy_config(kind, **more), longest, 1)


def write_toy_folder(folder: Path, kind: str = "bert", **more: Any) -> Path:
    """A folder as Hugging Face writes it, with random weights: config.json, model.safetensors, tokenizer.json, tokenizer_config.json."""
    import torch
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    from relsift.encoders.huggingface import make_transformer

    torch.manual_seed(1)
    subwords = toy_subwords(kind, **more)
    transformer: Any = make_transformer(subwords.config)
    transformer.save_pretrained(folder)
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(subwords.tokenizer), model_max_length=LONGEST, **names)
    tokenizer.save_pretrained(folder)
    return folder
