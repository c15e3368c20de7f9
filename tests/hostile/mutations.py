"""A small mutator: valid files of every format that is read, and ways to damage them that readers find hard."""

import gzip
import io
import json
import re
import struct
import zipfile
import zlib

NUMBERS = (
    b"-1",
    b"0",
    b"1e400",
    b"nan",
    b"18446744073709551616",
    b"2147483648",
    b"1000000000",
    b"99999999999999999999",
)
INTEGERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
VALUES = (
    None,
    True,
    -1,
    0,
    1e308,
    2**63,
    10**30,
    "",
    "\0",
    "x" * 3000,
    "../../etc/passwd",
    [],
    {},
    [[[]]],
    "NaN",
    "é\ud800",
)
HEADERS = (
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 8), }",
    "{'descr': '<f8', 'fortran_order': True, 'shape': (-1, 8), }",
    "{'descr': '<U2000000000', 'fortran_order': False, 'shape': (90,), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (90,), }",
    "{'descr': '|S3', 'fortran_order': False, 'shape': (90,), }",
    "{'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (90,), }",
    "{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (90,), }",
    "{'descr': '<c16', 'fortran_order': False, 'shape': (90, 4), }",
    "{'descr': '<i8', 'fortran_order': False, 'shape': (90, 1, 1), }",
    "{'descr': '<i8', 'fortran_order': False, 'shape': (), }",
    "{'descr': '<f4', 'shape': (3,",
    "(" * 300,
)


def damaged(data: bytes, suffix: str, rng) -> bytes:
    """Return ``data``, the content of a file of this suffix, damaged in one to three ways."""
    for _ in range(int(rng.integers(1, 4))):
        ways = [_flips, _cut, _number, _integer, _repeat, _drop]
        ways += BY_SUFFIX.get(suffix, [])
        data = ways[int(rng.integers(len(ways)))](data, rng)
    return data


def _place(data, rng):
    return int(rng.integers(len(data))) if data else 0


def _flips(data, rng):
    data = bytearray(data)
    for _ in range(int(rng.integers(1, 17)) if data else 0):
        data[_place(data, rng)] = int(rng.integers(256))
    return bytes(data)


def _cut(data, rng):
    return data[: _place(data, rng)]


def _drop(data, rng):
    start = _place(data, rng)
    return data[:start] + data[start + int(rng.integers(1, 64)) :]


def _repeat(data, rng):
    start = _place(data, rng)
    part = data[start : start + int(rng.integers(1, 256))]
    return data[:start] + part * int(rng.integers(2, 50)) + data[start:]


def _number(data, rng):
    found = list(re.finditer(rb"-?\d+(?:\.\d+)?", data))
    if not found:
        return data
    one = found[int(rng.integers(len(found)))]
    return data[: one.start()] + NUMBERS[int(rng.integers(len(NUMBERS)))] + data[one.end() :]


def _integer(data, rng):
    size = int(rng.choice([1, 2, 4, 8]))
    value = INTEGERS[int(rng.integers(len(INTEGERS)))] & (256**size - 1)
    start = _place(data, rng)
    return data[:start] + value.to_bytes(size, "big" if rng.random() < 0.3 else "little") + data[start + size :]


def _members(data, rng):
    """Damage one array of an archive and pack all of them again, so that sums agree."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # it was damaged before
        return _flips(data, rng)
    if not members:
        return data
    names = sorted(members)
    name, kind = names[int(rng.integers(len(names)))], rng.random()
    if kind < 0.5:
        header = HEADERS[int(rng.integers(len(HEADERS)))].encode()
        body = members[name][10 + int.from_bytes(members[name][8:10], "little") :]
        members[name] = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header + b"\n" + body
    elif kind < 0.7:
        members[name] = _flips(members[name], rng)
    elif kind < 0.8:
        members[name] = members[names[int(rng.integers(len(names)))]]
    elif kind < 0.9:
        del members[name]
    else:
        members[f"{name[:-4]}2.npy"] = members[name]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", [0, 8, 12, 14][int(rng.integers(4))]) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return packed.getvalue()


def _header(data, rng):
    """Damage the JSON in front of a safetensors file and write its length anew."""
    if len(data) < 8:
        return data
    (length,) = struct.unpack("<Q", data[:8])
    try:
        content = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError, OverflowError):
        return _flips(data, rng)
    text = json.dumps(_changed(content, rng)).encode("utf-8", "replace")
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def _node(data, rng):
    """Replace one value in a JSON text by one of another kind."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return _number(data, rng)
    return json.dumps(_changed(content, rng)).encode("utf-8", "replace")


def _changed(content, rng):
    """Return JSON with one value replaced or removed; strings that hold JSON are opened."""
    if isinstance(content, str) and content.startswith("{"):
        return json.dumps(_changed(json.loads(content), rng))
    if isinstance(content, dict | list) and content and rng.random() < 0.85:
        keys = list(content) if isinstance(content, dict) else list(range(len(content)))
        key = keys[int(rng.integers(len(keys)))]
        new = content.copy()
        if rng.random() < 0.1:
            del new[key]
        else:
            new[key] = _changed(content[key], rng)
        return new
    return VALUES[int(rng.integers(len(VALUES)))]


def _deep(data, rng):
    mark = [b"[", b'{"a":', b"a = [", b"["][int(rng.integers(4))]
    start = _place(data, rng)
    return data[:start] + mark * int(rng.choice([50, 5000, 100_000])) + data[start:]


def _gzipped(data, rng):
    """Damage the text in a packed file."""
    try:
        return gzip.compress(_number(gzip.decompress(data), rng))
    except (OSError, EOFError, zlib.error):
        return _flips(data, rng)


def _chunk(data, rng):
    """Damage one chunk of a PNG file and write its sum anew."""
    at, chunks = 8, []
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    if not chunks:
        return _flips(data, rng)
    number = int(rng.integers(len(chunks)))
    kind, body = chunks[number]
    chunks[number] = (kind, [_flips, _cut, _integer][int(rng.integers(3))](body, rng))
    if rng.random() < 0.2:
        chunks.insert(number, chunks[int(rng.integers(len(chunks)))])
    packed = [struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks]
    return data[:8] + b"".join(packed)


BY_SUFFIX = {
    ".npz": [_members] * 6,
    ".pt": [_members] * 2,
    ".safetensors": [_header] * 6,
    ".json": [_node] * 6 + [_deep],
    ".toml": [_number] * 3 + [_deep],
    ".csv": [_number] * 3,
    ".csv.gz": [_gzipped] * 4,
    ".png": [_chunk] * 6,
}
