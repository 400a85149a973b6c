"""What a login description finds in packets, for the parts of it that framers/ uses.

Written from docs/authentication.md alone, without a thought of speed.
"""

import re

# These begin at the packet's start, wherever the field before them ended.
TEXT_KINDS = ["word", "key-value", "split"]
NAMES = {"password": "secret", "token": "secret", "ticket": "secret"}


def conditions(match):
    return match if isinstance(match, list) else [match]


def holds(condition, packet):
    offset = condition.get("offset", 0)
    if "bytes" in condition:
        wanted = bytes.fromhex(condition["bytes"])
        start = offset if offset >= 0 else len(packet) + offset
        return start >= 0 and packet[start:start + len(wanted)] == wanted
    if "value" in condition:
        width = condition.get("width", 1)
        start = offset if offset >= 0 else len(packet) + offset
        there = packet[start:start + width] if start >= 0 else b""
        value = int.from_bytes(there, condition.get("endian", "big"))
        return len(there) == width and value & condition.get("mask", -1) == condition["value"]
    if "text" in condition:
        wanted = condition["text"].encode()
        front = packet[:len(wanted)]
        return (front.lower() == wanted.lower() if condition.get("ignore_case")
                else front == wanted)
    length = condition["length"]
    if isinstance(length, int):
        return len(packet) == length
    return length.get("min", 0) <= len(packet) <= length.get("max", len(packet))


def varint(data):
    value = 0
    for index, byte in enumerate(data[:5]):
        value |= (byte & 127) << 7 * index
        if byte < 128:
            return value, index + 1
    raise ValueError("no length")


def taken(field, packet, start):
    """The field's bytes and where it ends."""
    kind = field["kind"]
    data = packet[start:]
    order = field.get("endian", "big")
    if kind == "fixed":
        width = field["width"]
        value = data[:width]
        if len(value) < width:
            raise ValueError("cut short")
        value = (value.rstrip(b" \0") if field.get("pad") == "space" else value.split(b"\0")[0])
        return value, start + width
    if kind == "zero-terminated":
        if field.get("charset") == "utf-16le":
            units = [data[i:i + 2] for i in range(0, len(data), 2)]
            count = units.index(b"\0\0")
            return b"".join(units[:count]), start + 2 * count + 2
        return data[:data.index(b"\0")], start + data.index(b"\0") + 1
    if kind in ["length-prefixed", "varint-prefixed"]:
        if kind == "varint-prefixed":
            length, head = varint(data)
        else:
            head = field["width"]
            length = int.from_bytes(data[:head], order)
        if len(data) < head + length:
            raise ValueError("cut short")
        return data[head:head + length], start + head + length
    if kind in ["integer", "bytes"]:
        value = data[:field["width"]]
        if len(value) < field["width"]:
            raise ValueError("cut short")
        if kind == "integer":
            number = int.from_bytes(value, order)
            text = f"{number:x}" if field.get("as") == "hex" else str(number)
            return text.encode(), start + field["width"]
        if "charset" not in field and field["name"] not in [*NAMES, "secret"]:
            value = value.hex().encode()
        return value, start + field["width"]
    if kind == "line":
        end = data.find(b"\n")
        line = data if end < 0 else data[:end]
        return line.removesuffix(b"\r"), start + (len(data) if end < 0 else end + 1)
    if kind == "rest":
        return data, len(packet)
    return texts(field, data.rstrip(b"\r\n\0")), len(packet)


def texts(field, data):
    """The kinds that take a text apart."""
    if field["kind"] == "word":
        words = data.split(None, field["number"] - 1) if field.get("to_end") else data.split()
        return words[field["number"] - 1]
    if field["kind"] == "split":
        return data.split(separator(field["delimiter"]))[field["number"] - 1]
    if field["kind"] == "key-value":
        pairs, values = separator(field["pair_separator"]), separator(field["value_separator"])
        if pairs == values:
            parts = data.removeprefix(pairs).split(pairs)
            return dict(zip(parts[::2], parts[1::2]))[field["key"].encode()]
        return dict(pair.split(values, 1) for pair in data.split(pairs)
                    if values in pair)[field["key"].encode()]
    raise ValueError(f"no such kind: {field['kind']}")


def separator(value):
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else (
        value.replace("\\\\", "\\").encode())


def decoded(field, value):
    key = bytes.fromhex(field.get("xor", ""))
    if key:
        # What pads a text is hidden too, so a fixed text ends behind the key.
        value = bytes(byte ^ key[index % len(key)] for index, byte in enumerate(value))
        if field["kind"] == "fixed":
            value = value.split(b"\0")[0]
    charset = {"utf-16le": "utf-16-le", "hex": "utf-8"}.get(
        field.get("charset"), field.get("charset", "latin-1"))
    text = value.decode(charset)
    text = text.removeprefix(field.get("strip_prefix", ""))
    text = text.removesuffix(field.get("strip_suffix", ""))
    case = {"lower": str.lower, "upper": str.upper}.get(field.get("case"), str)
    return case(text)


def fields(part, packet):
    found = {}
    end = 0
    for field in part.get("field", []):
        begins = 0 if field["kind"] in TEXT_KINDS and "skip" not in field else end
        start = field.get("offset", begins + field.get("skip", 0))
        if start < 0:
            start += len(packet)
        try:
            if start > len(packet):
                raise ValueError("behind the end")
            hidden = field["kind"] == "fixed" and "xor" in field
            value, end = taken(field | {"kind": "bytes", "charset": ""} if hidden else field,
                               packet, start)
        except (ValueError, IndexError, KeyError):
            if field.get("optional"):
                continue
            raise
        found[field["name"]] = decoded(field, value)
    return found


def without_telnet(packet):
    """What is left of a packet without telnet's commands; FF FF is a byte of text."""
    command = rb"\xff(?:\xfa(?:[^\xff]|\xff[^\xf0])*\xff\xf0|[\xfb-\xfe].|[\xf0-\xf9])"
    return re.sub(command + rb"|\xff(\xff)", lambda match: match[1] or b"", packet, flags=re.S)


def read(login, packets):
    """The fields by name that the packets give; None while the identity is incomplete."""
    parts = login.get("packet", [{}])
    open_parts = list(parts)
    found = {}
    for number, packet in enumerate(packets, 1):
        if login.get("telnet"):
            packet = without_telnet(packet)
            if not packet:
                continue
        for answer in login.get("answer", []):
            if "match" in answer and all(holds(c, packet) for c in conditions(answer["match"])):
                break
        else:
            for part in open_parts[:1] if login.get("ordered") else list(open_parts):
                if part.get("number", number) == number and all(
                        holds(c, packet) for c in conditions(part.get("match", []))):
                    open_parts.remove(part)
                    found |= fields(part, packet)
                    break
        complete = all(part.get("optional") for part in open_parts)
        if complete and len(open_parts) < len(parts):
            return found
    return None
