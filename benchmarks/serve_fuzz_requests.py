"""What `serve_fuzz.py` sends: requests drawn at random, all of them from one generator of random numbers."""

from __future__ import annotations

import random
import re
from base64 import b64encode
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from relsift.registry import table

MODELS = ("demo-en", "demo-zh")
_TEXTS = (
    "Ida Holm, mayor of Skerrin, lives in Vell.", "王芳在北京大学工作。她住在北京。",
    "A\u0301da e\u0301 \U0001f469\u200d\U0001f680 works. \u202eno\u202c",
)  # fmt: skip
_HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -0.0, 1e308, 5e-324, "", " ", "\u0000", "\ud800", "a\udc00", "\u2028", "\u202e",
    "\ufeff",     "<script>alert(1)</script>", "../../etc/passwd", "%s%n{0}", "a" * 5000, "\u0301" * 300, "\n" * 200, ". " * 400, "[" * 500,
    "0" * 400, [], {}, [[]], [None], {"": None}, [0, 1], [1, 0], [2**40, 2**41], {"start": 0, "end": 1, "type": "PER"}, "several",
    "demo-zh", "NaN",
)  # fmt: skip
_PIECES = (b"\xff", b"\xed\xa0\x80", b"\r", b"\t", b"\n\n", b'"', b"{", b"]", b"<", b"&x;", b"-1", b"9" * 30)
_FILE_NAMES = ("../a.txt", "", "a" * 300 + ".txt", "a\0b", "x.jsonl", "x.ann", "x.zip")
_BODIES = (
    b"", b"{", b"[" * 100_000, b'{"documents": [' + b'{"text": "a"},' * 5000 + b"]}", b'{"documents": [{"text": "\xff\xfe"}]}',
    b"\xef\xbb\xbf{}", b'{"documents": [{"text": "a", "text": "b"}]}', b'{"documents": [{"text": "a"}], "threshold": NaN}',
    b'{"a":' * 50_000, b"null", b"1e999", b'{"documents": [{"text": "\\ud800"}]}',
    b'{"documents": [{"text": "' + b"Ada met Bo. " * 30_000 + b'"}]}',
    bytes(range(256)), b'{"documents": [{"text": "Ida Holm lives in Vell."}]}',
    b'{"threshold": ' + b"9" * 5000 + b', "documents": [{"text": "a"}]}',
)  # fmt: skip
_METHODS = (*("POST",) * 6, "GET", "PUT", "HEAD", "OPTIONS", "BREW", "post", "\u00e9")
_PATHS = (
    *("/v1/extract",) * 6, "/v1/read", "/v1/convert", "/v1/models", "/", "//", "/page/../x", "/%00", "/%ff",
    "/metrics?x=" + "y" * 3000, "*", "/docs/", "/a b",
)  # fmt: skip
_TYPES = (*("application/json",) * 6, "text/plain", "", "application/json; charset=utf-16", "multipart/form-data", ";;;")
_FURTHER = (
    "Transfer-Encoding: chunked", "Content-Encoding: gzip", "Expect: 100-continue", "Authorization: Bearer \u00ff", "X: " + "y" * 9000,
    "Origin: https://example.org", "Content-Length: 7", "Range: bytes=0-", "Accept-Encoding: \u0001", "Upgrade: websocket",
)  # fmt: skip


def right_request(draw: random.Random) -> dict[str, Any]:
    """Documents of all forms."""
    documents: list[dict[str, Any]] = []
    for number in range(draw.randint(1, 4)):
        text = draw.choice(_TEXTS) * draw.choice((1, 1, 1, 5, 40))
        tokens = text.split()
        spans = sorted(draw.sample(range(len(tokens) + 1), 2)) if len(tokens) > 1 else [0, 1]
        entities = [{"start": spans[0], "end": spans[1], "type": draw.choice(("PER", "GPE", "NEW"))} for _ in range(draw.randint(0, 5))]
        forms: list[dict[str, Any]] = [
            {"text": text}, {"text": text, "entities": entities}, {"tokens": tokens, "entities": entities}, {"tokens": tokens},
            {"sentences": [{"tokens": tokens, "entities": entities}, {"tokens": tokens[:2]}]},
            {"tokens": tokens, "heads": [-1, *range(len(tokens) - 1)], "dependencies": ["x"] * len(tokens), "pos": ["y"] * len(tokens)},
            {"tokens": tokens, "text": " ".join(tokens), "offsets": offsets_of(tokens)},
        ]  # fmt: skip
        documents.append(draw.choice(forms) | ({"id": draw.choice((number, f"d{number}"))} if draw.random() < 0.5 else {}))
    options = {
        "model": draw.choice(MODELS), "threshold": draw.uniform(-20, 20), "mode": draw.choice(("single", "several")), "all_scores": True,
    }  # fmt: skip
    return {"documents": documents} | {name: value for name, value in options.items() if draw.random() < 0.4}


def offsets_of(tokens: list[str]) -> list[list[int]]:
    offsets, start = [], 0
    for token in tokens:
        offsets.append([start, start + len(token)])
        start += len(token) + 1
    return offsets


def mutated(value: Any, draw: random.Random) -> Any:
    """The same with one to three places changed."""
    for _ in range(draw.choice((0, 1, 1, 2, 3))):
        path = draw.choice(list(places(value)))
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        if not path:
            continue
        key, kind = path[-1], draw.random()
        if kind < 0.55:
            holder[key] = deepcopy(draw.choice(_HOSTILE))  # which may be changed itself
        elif kind < 0.7:
            del holder[key]
        elif kind < 0.8 and isinstance(holder, list):
            holder.append(deepcopy(holder[key]))
        elif kind < 0.85:
            for _ in range(draw.choice((3, 60, 200))):
                holder[key] = [holder[key]]
        elif isinstance(holder[key], str):
            at = draw.randrange(len(holder[key]) + 1)
            holder[key] = holder[key][:at] + str(draw.choice(_HOSTILE))[:50] + holder[key][at:]
        elif isinstance(holder[key], int):
            holder[key] += draw.choice((-2, -1, 1, 2, 1000))
        elif isinstance(holder[key], dict):
            holder[key][draw.choice(("", "text", "unknown", "entities", "id"))] = deepcopy(draw.choice(_HOSTILE))
    return value


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Ways to all values inside; of a list of many only to its first."""
    yield path
    inside: Any = value.items() if isinstance(value, dict) else enumerate(value[:30]) if isinstance(value, list) else ()
    if len(path) < 12:
        for key, each in inside:
            yield from places(each, (*path, key))


def upload(reader: Any, draw: random.Random) -> dict[str, Any]:
    """Samples of a reader, most of them changed."""
    made = []
    for name, sample in reader.samples.items():
        data = sample.encode("utf-8", "surrogatepass") if isinstance(sample, str) else bytes(sample)
        if draw.random() < 0.75:
            data = changed(data, draw)
        name = name.rpartition("/")[2] if draw.random() < 0.95 else draw.choice(_FILE_NAMES)
        made.append({"name": name, "content": b64encode(data).decode()})
    body: dict[str, Any] = {"files": made}
    if draw.random() < 0.6:
        body["format"] = reader.name if draw.random() < 0.8 else draw.choice((*table("reader"), "none", "brat[lines=sentences]"))
    return mutated(body, draw) if draw.random() < 0.1 else body


def changed(data: bytes, draw: random.Random) -> bytes:
    """Bytes with one to four changes."""
    for _ in range(draw.randint(1, 4)):
        at, end = sorted((draw.randrange(len(data) + 1), draw.randrange(len(data) + 1)))
        lines = data.splitlines(keepends=True)
        match draw.randrange(9):
            case 0:
                data = data[:at]
            case 1:
                data = data[:at] + data[min(end, at + 20) :]
            case 2:
                data = data[:at] + draw.choice(_PIECES) + data[at:]
            case 3:
                data = data[:at] + bytes([draw.randrange(1, 256)]) + data[at + 1 :]
            case 4:
                data = b"".join(draw.sample(lines, len(lines)))
            case 5:
                data += draw.choice(lines or [b"x"])
            case 6:
                data = re.sub(rb"\d+", lambda found: found[0] if draw.random() < 0.7 else str(draw.randrange(-3, 99)).encode(), data)
            case 7:
                data = data.decode("utf-8", "replace").encode(draw.choice(("utf-16", "utf-8-sig")), "replace")
            case 8:
                data *= draw.choice((0, 2, 30))
    return data


def raw_request(draw: random.Random) -> bytes:
    """One that ends its connection."""
    body = draw.choice(_BODIES)
    if draw.random() < 0.3:
        body = changed(body[:3000], draw)
    size = str(len(body)) if draw.random() < 0.9 else draw.choice(("-1", "0", "99999999999", "x", str(len(body) // 2)))
    lines = [
        f"{draw.choice(_METHODS)} {draw.choice(_PATHS)} HTTP/1.1", f"Host: {draw.choice((*('localhost',) * 5, '', 'a b'))}",
        f"Content-Type: {draw.choice(_TYPES)}", f"Content-Length: {size}", "Connection: close",
    ]  # fmt: skip
    if draw.random() < 0.4:
        lines.append(draw.choice(_FURTHER))
    request = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body
    return request if draw.random() < 0.9 else changed(request[:5000], draw)
