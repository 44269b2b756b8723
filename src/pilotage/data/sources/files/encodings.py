"""Which encoding a text file is in, found by a full decode, and a copy in UTF-8 where it is in another.

Bounded memory: at most a chunk and a sample are held. A byte order mark decides; else UTF-8 if all bytes are; else what
charset-normalizer finds likely for the lines that are not ASCII, Windows-1252 first among what is equally likely.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from msgspec import Struct

from pilotage.data.sources.files.copying import CHUNK_BYTES
from pilotage.data.sources.files.unreadable import Unreadable

LINE_BYTES_MAX = 2_000_000

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LIKELY = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r", "mac_roman"),
    *("cp850", "cp437", "iso8859_15", "cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
_SAMPLE_BYTES = 64 * 1024
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_SET_IT = "Set `encoding` of the source, such as windows-1252, or export the file as UTF-8."


class Examined(Struct, frozen=True):
    """What a text file is: its encoding, and whether its lines end in more than one way."""

    encoding: str
    mixed_ends: bool


def in_utf8(place: Path, name: str, folder: Path, encoding: str, by_lines: bool) -> Path:
    """The file itself if it is plain UTF-8, else a copy that is. ``by_lines``: no line is longer than 2 MB.

    Raises:
        Unreadable: it has NUL bytes, a longer line, or bytes that its encoding does not have.
    """
    status = place.stat()
    found = _examined(place, name, status.st_size, status.st_mtime_ns, encoding, by_lines)
    if found.encoding == "utf-8" and not (found.mixed_ends and by_lines):
        return place
    target = copy_of(place, folder)
    lines = _Lines(name, by_lines)
    ends = _Ends() if found.mixed_ends and by_lines else None
    with target.open("wb") as copy:
        for text in _decoded(place, name, found.encoding):
            chunk = text.encode()
            lines.take(chunk)
            copy.write(ends.one_kind(chunk) if ends else chunk)
    return target


def copy_of(place: Path, folder: Path) -> Path:
    """Where the copy of a file in UTF-8 is, if there is one: files of one name in several folders have their own."""
    return folder / f"{hashlib.sha256(str(place).encode()).hexdigest()[:16]}.utf8"


@lru_cache(maxsize=10_000)
def _examined(place: Path, name: str, size: int, changed_at: int, encoding: str, by_lines: bool) -> Examined:
    """Read a whole file once; the same file is not read twice for this."""
    with place.open("rb") as stream:
        start = stream.read(4096)
    marked = next((found for mark, found in _MARKS if start.startswith(mark)), "")
    chosen = _known(encoding, name) if encoding else marked or _wide(start)
    if chosen in ("utf-8", "utf-8-sig") and marked == "utf-8-sig":
        chosen = "utf-8-sig"
    if chosen not in ("", "utf-8", "utf-8-sig"):
        return Examined(chosen, _mixed(place, chosen, name))
    decoder, fits = codecs.getincrementaldecoder("utf-8")(), True
    lines, sample = _Lines(name, by_lines), bytearray()
    for chunk in _chunks(place):
        lines.take(chunk)
        if fits:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                fits = False
        if len(sample) < _SAMPLE_BYTES and not chunk.isascii():
            sample += _lines_beyond_ascii(chunk, _SAMPLE_BYTES - len(sample))
    if fits and _ends_whole(decoder):
        return Examined("utf-8-sig" if chosen == "utf-8-sig" else "utf-8", lines.mixed)
    if chosen:
        raise Unreadable(f"{name} is not in {encoding or 'UTF-8, though its byte order mark says so'}.", _SET_IT)
    return Examined(_likely(bytes(sample), name), lines.mixed)


def _lines_beyond_ascii(chunk: bytes, bytes_max: int) -> bytes:
    """The lines of a chunk that are not ASCII, as far as there is room: they tell encodings apart."""
    found = bytearray()
    at = 0
    while len(found) < bytes_max and (byte := _NOT_ASCII.search(chunk, at)):
        start = chunk.rfind(b"\n", at, byte.start()) + 1 or at
        end = chunk.find(b"\n", byte.start()) + 1 or len(chunk)
        found += chunk[start:end]
        at = end
    return bytes(found[:bytes_max])


class _Lines:
    """Watches a stream of bytes for NUL, lines that are too long, and different line ends."""

    def __init__(self, name: str, limited: bool) -> None:
        self._name, self._limited = name, limited
        self._line = 1
        self._run = 0
        self._crlf = self._cr = self._lf = 0
        self._after_cr = False

    def take(self, chunk: bytes) -> None:
        if (nul := chunk.find(b"\0")) >= 0:
            line = self._line + chunk.count(b"\n", 0, nul)
            raise Unreadable(
                f"{self._name}, line {line}: it holds a NUL byte, so it is no text.",
                "Export it again, or remove NUL bytes: tr -d '\\000' < file > clean.",
            )
        lf, crlf, cr = chunk.count(b"\n"), chunk.count(b"\r\n"), chunk.count(b"\r")
        if self._after_cr and chunk.startswith(b"\n"):
            crlf, self._cr = crlf + 1, self._cr - 1
            cr += 1
        self._after_cr = chunk.endswith(b"\r")
        self._crlf += crlf
        self._lf += lf - crlf
        self._cr += cr - crlf
        self._watch_length(chunk)
        self._line += lf

    @property
    def mixed(self) -> bool:
        """More than one kind of line end, even if only inside quotes."""
        return sum(count > 0 for count in (self._crlf, self._lf, self._cr)) > 1

    def _watch_length(self, chunk: bytes) -> None:
        first = min((at for at in (chunk.find(b"\n"), chunk.find(b"\r")) if at >= 0), default=-1)
        self._run += len(chunk) if first < 0 else first
        if self._limited and self._run > LINE_BYTES_MAX:
            raise Unreadable(
                f"{self._name}, line {self._line} is longer than {LINE_BYTES_MAX:,} bytes.",
                "Check that it is a text file with line ends, and has not far too many columns.",
            )
        if first >= 0:
            self._run = len(chunk) - 1 - max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))


class _Ends:
    """Makes all line ends outside of quotes the same."""

    def __init__(self) -> None:
        self._quoted = False
        self._held = b""

    def one_kind(self, chunk: bytes) -> bytes:
        chunk = self._held + chunk
        self._held = b"\r" if chunk.endswith(b"\r") else b""
        parts = chunk[: len(chunk) - len(self._held)].split(b'"')
        for place, part in enumerate(parts):
            if (place % 2 == 1) == self._quoted:
                parts[place] = part.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._quoted = self._quoted != (len(parts) % 2 == 0)
        return b'"'.join(parts)


def _chunks(place: Path) -> Iterator[bytes]:
    with place.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


def _decoded(place: Path, name: str, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    try:
        for chunk in _chunks(place):
            text = decoder.decode(chunk)
            line += text.count("\n")
            yield text
        yield decoder.decode(b"", final=True)
    except UnicodeError as error:
        reason = getattr(error, "reason", "it is torn")
        raise Unreadable(f"{name} is not in {encoding}: {reason}, after line {line}.", _SET_IT) from None


def _mixed(place: Path, encoding: str, name: str) -> bool:
    lines = _Lines(name, limited=False)
    for text in _decoded(place, name, encoding):
        lines.take(text.encode())
    return lines.mixed


def _ends_whole(decoder: codecs.IncrementalDecoder) -> bool:
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _known(encoding: str, name: str) -> str:
    try:
        found = codecs.lookup(encoding).name
        "".encode(found)  # some codecs, such as base64, make no texts
    except LookupError:
        raise Unreadable(f"{name}: '{encoding}' is not an encoding.", "Write utf-8, windows-1252 or another.") from None
    return found


def _wide(start: bytes) -> str:
    """UTF-16 without a byte order mark: of ASCII text every other byte is NUL."""
    if len(start) < 4 or b"\0" not in start:
        return ""
    even, odd = start[::2].count(0) / len(start[::2]), start[1::2].count(0) / len(start[1::2])
    if odd > 0.6 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.6 and odd < 0.1 else ""


def _likely(sample: bytes, name: str) -> str:
    """The likeliest encoding of lines that are not UTF-8."""
    from charset_normalizer import from_bytes

    matches = list(from_bytes(sample, cp_isolation=list(_LIKELY)))
    least = min((match.chaos for match in matches), default=0.0)
    possible = {found for match in matches if match.chaos <= least + 0.02 for found in match.could_be_from_charset}
    if "cp437" in possible:
        possible.add("cp850")
    texts = {encoding: _text(sample, encoding) for encoding in _LIKELY if encoding in possible}
    ranked = [encoding for encoding, text in texts.items() if text is not None]
    if not ranked:
        raise Unreadable(f"{name} is not in UTF-8, and its encoding cannot be told.", _SET_IT)
    return min(ranked, key=lambda encoding: (_odd(texts[encoding] or ""), ranked.index(encoding)))


def _text(sample: bytes, encoding: str) -> str | None:
    """The sample as text: strict, but for the last character, where it may be cut."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return None


def _odd(text: str) -> int:
    """How often a sign stands between letters, or a capital after a small letter: marks of a wrong decode."""
    return len(re.findall(r"(?<=[^\W\d_])[^\w\s'’`\-.,;:/|\\\"&+()@#]+(?=[^\W\d_])", text)) + sum(
        1 for before, after in pairwise(text) if before.islower() and after.isupper() and after > "\x7f"
    )
