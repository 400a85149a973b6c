"""What the framers of a definition cut, written a second time and as plainly as possible.

Every framer here looks at a slice of bytes and says how long its first packet is; nothing is
remembered but the stage of a sequence or the choice of a switch. So it shares no idea with the
gateway's framers, and the vectors of framers/ are checked against both.

`python3 -m harness.framer_model FILE…`, run in Tests/Integration, checks the vectors of definitions.
"""

import re
import sys
import tomllib
from pathlib import Path

from harness import login_model

ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "0": b"\0", "\\": b"\\"}
SIZE_MAX = 64 << 20


class Violation(Exception):
    """The stream breaks the framer's rule; the argument is the rule's name, as in vectors."""


class More(Exception):
    """No whole packet lies at the front yet."""


def byte_string(value):
    """Bytes as a configuration gives them: a text with escapes, or { hex = … }."""
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])

    def escape(match):
        name = match[1]
        return (bytes([int(name[1:], 16)]) if name[0] == "x" else ESCAPES[name]).decode("latin-1")
    plain = value.encode().decode("latin-1")
    return re.sub(r"\\(x[0-9A-Fa-f]{2}|.)", escape, plain).encode("latin-1")


def byte_strings(value):
    return [byte_string(each) for each in (value if isinstance(value, list) else [value])]


def packet_bytes(text):
    """A packet as a vector gives it: hexadecimal pairs, 'text' and XX*N."""
    parts = re.findall(r"'([^']*)'|([0-9A-Fa-f]{2})\*(\d+)|([0-9A-Fa-f]{2})|(\S)", text)
    result = b""
    for quoted, repeated, count, pair, other in parts:
        if other:
            raise ValueError(f"not a byte: {other!r} in {text!r}")
        if repeated:
            result += bytes.fromhex(repeated) * int(count)
        else:
            result += bytes.fromhex(pair) if pair else quoted.encode("latin-1")
    return result


def bounded(total, low, high):
    if total < low:
        raise Violation("packet-too-short")
    if total > high:
        raise Violation("packet-too-long")
    return total


def whole(data, total):
    if len(data) < total:
        raise More
    return total


def starts(data, constant):
    """Whether the data begins with it; what is there may be shorter."""
    front = data[:len(constant)]
    if front != constant[:len(front)]:
        raise Violation("wrong-constant")


def known_keys(definition, *names):
    unknown = set(definition) - set(names) - {"kind"}
    if unknown:
        raise ValueError(f"{definition['kind']}: unknown keys {sorted(unknown)}")


class Raw:
    def __init__(self, max=SIZE_MAX):
        self.max = max

    def size(self, data):
        return min(len(data), self.max), 0


class LengthPrefix:
    KEYS = ["encoding", "offset", "width", "endian", "terminator", "canonical", "mask",
            "xor_offset", "multiplier", "counts", "adjustment", "leading", "trailing", "escapes",
            "min", "max"]

    def __init__(self, **keys):
        self.encoding = keys.get("encoding", "binary")
        self.field = {"offset": keys.get("offset", 0), "width": keys.get("width", 2),
                      "endian": keys.get("endian", "big"), "counts": keys.get("counts", "rest"),
                      "adjustment": keys.get("adjustment", 0)}
        self.keys = keys
        self.escapes = keys.get("escapes", [])
        self.leading = byte_string(keys.get("leading", ""))
        self.trailing = byte_string(keys.get("trailing", ""))
        self.max = keys.get("max", 65536)

    def size(self, data):
        starts(data, self.leading)
        value, end = getattr(self, "_" + self.encoding)(data)
        field = self.field
        for escape in self.escapes:
            if escape["from"] <= value <= escape["to"]:
                value, end, field = self._escaped(escape, data, value, end)
                break
        base = {"rest": end, "self-and-rest": field["offset"], "packet": 0}[field["counts"]]
        total = value * self.keys.get("multiplier", 1) + base + field["adjustment"]
        bounded(total, max(end, self.keys.get("min", 0)), self.max)
        whole(data, total)
        if not data[:total].endswith(self.trailing):
            raise Violation("wrong-constant")
        return total, 0

    def _escaped(self, escape, data, value, end):
        field = self.field | {key: escape[key] for key in ["endian", "counts", "adjustment"]
                              if key in escape}
        if "value" in escape:
            return escape["value"], end, field
        if "width" not in escape:
            return value, end, field
        field |= {"offset": escape["offset"], "width": escape["width"]}
        after = escape["offset"] + escape["width"]
        whole(data, max(end, after))
        return self._integer(data, field, escape["offset"]), max(end, after), field

    def _integer(self, data, field, offset):
        return int.from_bytes(data[offset:offset + field["width"]], field["endian"])

    def _binary(self, data):
        offset, width = self.field["offset"], self.field["width"]
        second = self.keys.get("xor_offset", offset)
        end = max(offset, second) + width
        whole(data, end)
        value = self._integer(data, self.field, offset)
        if "xor_offset" in self.keys:
            value ^= self._integer(data, self.field, second)
        mask = self.keys.get("mask")
        if mask:
            value = (value & mask) // (mask & -mask)
        return value, end

    def _leb128(self, data):
        value = 0
        offset = self.field["offset"]
        for index in range(self.field["width"]):
            whole(data, offset + index + 1)
            byte = data[offset + index]
            value |= (byte & 127) << 7 * index
            if byte < 128:
                if self.keys.get("canonical") and byte == 0 and index:
                    raise Violation("malformed-length")
                return value, offset + index + 1
        raise Violation("malformed-length")

    def _prefix(self, data):
        offset = self.field["offset"]
        whole(data, offset + 1)
        lead = data[offset]
        width, bits = next(pair for limit, pair in [
            (0x80, (1, 7)), (0xC0, (2, 14)), (0xE0, (4, 29)), (0x100, (5, 32))] if lead < limit)
        whole(data, offset + width)
        value = int.from_bytes(data[offset:offset + width], "big")
        return value & (1 << bits) - 1, offset + width

    def _base64(self, data):
        offset, end = self.field["offset"], self.field["offset"] + self.field["width"]
        whole(data, end)
        value = 0
        for byte in data[offset:end]:
            if not 64 <= byte < 128:
                raise Violation("malformed-length")
            value = value << 6 | byte - 64
        return value, end

    def _decimal(self, data):
        offset, width = self.field["offset"], self.field["width"]
        if "terminator" not in self.keys:
            whole(data, offset + width)
            digits, end = data[offset:offset + width], offset + width
        else:
            terminator = byte_string(self.keys["terminator"])
            place = data.find(terminator, offset, offset + width + 1)
            if place < 0:
                if len(data) > offset + width:
                    raise Violation("malformed-length")
                raise More
            digits, end = data[offset:place], place + 1
        if not re.fullmatch(rb"[0-9]+", digits):
            raise Violation("malformed-length")
        return int(digits), end


class Delimiter:
    KEYS = ["delimiter", "keep", "telnet", "min", "max"]

    def __init__(self, delimiter, keep=True, telnet=False, min=1, max=4096):
        self.delimiters = byte_strings(delimiter)
        self.keep, self.telnet, self.min, self.max = keep, telnet, min, max

    def size(self, data):
        if self.telnet and data[0] == 255:
            length = self._command(data)
            if length is None:
                raise More
            if length:
                return length, 0
        index = 0
        text = b""
        while index < min(len(data), self.max):
            if self.telnet and data[index] == 255:
                length = self._command(data[index:])
                if length is None:
                    break
                index += length or 2
                text = b""
                continue
            text += data[index:index + 1]
            index += 1
            ends = [each for each in self.delimiters if text.endswith(each)]
            if ends:
                bounded(index, self.min, self.max)
                return index, 0 if self.keep else max(len(each) for each in ends)
        if len(data) >= self.max:
            raise Violation("no-delimiter")
        raise More

    def _command(self, data):
        """How long the command at the front is; 0 for an escaped FF, None for one cut short."""
        if len(data) < 2:
            return None
        if data[1] == 255:
            return 0
        if data[1] == 250:
            end = re.search(rb"\xff\xf0", re.sub(rb"\xff\xff", b"..", data[2:]), re.S)
            return end.end() + 2 if end else None
        length = 3 if 251 <= data[1] <= 254 else 2
        return length if len(data) >= length else None


class Fixed:
    KEYS = ["size", "leading"]

    def __init__(self, size, leading=""):
        self.bytes, self.leading = size, byte_string(leading)

    def size(self, data):
        starts(data, self.leading)
        return whole(data, self.bytes), 0


class Table:
    KEYS = ["offset", "width", "endian", "sizes", "length", "lengths", "unknown", "max"]

    def __init__(self, offset=0, width=1, endian="little", sizes=None, length=None, lengths=None,
                 unknown="violation", max=65536):
        self.opcode = slice(offset, offset + width)
        self.endian, self.unknown, self.max = endian, unknown, max
        self.sizes = {int(key, 16): value for key, value in (sizes or {}).items()}
        for key, value in (lengths or {}).items():
            if int(key, 16) in self.sizes:
                raise ValueError(f"{key} has a size and a length")
            self.sizes[int(key, 16)] = value
        self.length = length
        self.raw = False

    def size(self, data):
        if self.raw:
            return len(data), 0
        whole(data, self.opcode.stop)
        opcode = int.from_bytes(data[self.opcode], self.endian)
        rule = self.sizes.get(opcode, self.unknown)
        if rule == "violation":
            raise Violation("unknown-opcode")
        if rule == "raw":
            self.raw = True
            return len(data), 0
        if isinstance(rule, int):
            return whole(data, bounded(rule, self.opcode.stop, self.max)), 0
        length = self.length if rule == "length" else rule
        known_keys({"kind": "length of a table"} | length, *LengthPrefix.KEYS)
        field = LengthPrefix(**length | {"max": self.max})
        return field.size(data)


class Switch:
    KEYS = ["each", "case", "otherwise"]

    def __init__(self, case, each="packet", otherwise=None):
        self.each = each
        self.otherwise = otherwise
        self.cases = [(byte_strings(each["match"]), each.get("offset", 0), each.get("mask"),
                       each["framer"]) for each in case]
        self.chosen = None

    def size(self, data):
        if self.chosen:
            return self.chosen.size(data)
        framer = make(self._choice(data))
        if self.each == "stream":
            self.chosen = framer
        return framer.size(data)

    def _choice(self, data):
        for matches, offset, mask, framer in self.cases:
            undecided = False
            for match in matches:
                bits = byte_string(mask) if mask is not None else b"\xff" * len(match)
                there = data[offset:offset + len(match)]
                if all(a & m == b & m for a, b, m in zip(there, match, bits)):
                    if len(there) == len(match):
                        return framer
                    undecided = True
            if undecided:
                raise More
        if self.otherwise is None:
            raise Violation("no-case")
        return self.otherwise

    def took(self):
        getattr(self.chosen, "took", lambda: None)()

    def authenticated(self):
        getattr(self.chosen, "authenticated", lambda: None)()


class Sequence:
    KEYS = ["step"]

    def __init__(self, step):
        self.steps = [(make(each["framer"]),
                       each.get("until") or each.get("packets", 1)) for each in step]
        self.steps[-1] = (self.steps[-1][0], None)
        self.taken = 0

    def size(self, data):
        return self.steps[0][0].size(data)

    def took(self):
        getattr(self.steps[0][0], "took", lambda: None)()
        self.taken += 1
        if self.taken == self.steps[0][1]:
            self._next()

    def authenticated(self):
        while self.steps[0][1] == "authenticated":
            self._next()
        getattr(self.steps[0][0], "authenticated", lambda: None)()

    def _next(self):
        del self.steps[0]
        self.taken = 0


KINDS = {"raw": Raw, "length-prefix": LengthPrefix, "delimiter": Delimiter, "fixed": Fixed,
         "table": Table, "switch": Switch, "sequence": Sequence}
Raw.KEYS = ["max"]


def make(definition):
    if isinstance(definition, str):
        definition = {"kind": definition}
    kind = KINDS[definition["kind"]]
    known_keys(definition, *kind.KEYS)
    return kind(**{key: value for key, value in definition.items() if key != "kind"})


def cut(definition, data, authenticated_after=None):
    """The packets of a stream, the bytes behind them, and what is wrong with those, if anything.

    A packet is as a worker gets it: without a delimiter that is not kept.
    """
    framer = make(definition)
    packets = []
    while True:
        if len(packets) == authenticated_after:
            getattr(framer, "authenticated", lambda: None)()
        if not data:
            return packets, data, None
        try:
            size, dropped = framer.size(data)
        except More:
            return packets, data, None
        except Violation as violation:
            return packets, data, violation.args[0]
        packets.append(data[:size - dropped])
        data = data[size:]
        getattr(framer, "took", lambda: None)()


def problems(definition):
    """What is wrong with a definition of framers/, one sentence each."""
    allowed = {"title", "ports", "sources", "client_to_server", "server_to_client", "opcode",
               "login", "vector"}
    for key in sorted(set(definition) - allowed):
        yield f"unknown key {key}"
    for key in ["title", "sources", "vector"]:
        if not definition.get(key):
            yield f"no {key}"
    for direction in ["client_to_server", "server_to_client"]:
        framer = definition.get(direction)
        vectors = [each for each in definition["vector"]
                   if each.get("direction", "client_to_server") == direction]
        if framer and framer["kind"] != "raw" and not vectors:
            yield f"no vector for {direction}"
        for vector in vectors:
            for problem in vector_problems(framer or "raw", vector, definition.get("login")):
                yield f"{direction}, {vector['name']}: {problem}"


def vector_problems(framer, vector, login):
    unknown = set(vector) - {"name", "direction", "packets", "rest", "violation",
                             "authenticated_after", "login"}
    if unknown:
        yield f"unknown keys {sorted(unknown)}"
    expected = [packet_bytes(each) for each in vector["packets"]]
    rest = packet_bytes(vector.get("rest", ""))
    packets, left, violation = cut(
        framer, b"".join(expected) + rest, vector.get("authenticated_after"))
    if packets != expected:
        yield f"cut into {[each.hex(' ') for each in packets]}"
    if left != rest:
        yield f"left over: {left.hex(' ')}"
    if violation != vector.get("violation"):
        yield f"violation: {violation}"
    if "login" in vector:
        found = login_model.read(login, packets)
        if found != vector["login"]:
            yield f"login: {found}"


def main(paths):
    failed = False
    for path in paths:
        definition = tomllib.loads(Path(path).read_text())
        for problem in problems(definition):
            failed = True
            print(f"{path}: {problem}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
