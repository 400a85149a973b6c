"""The gateway's own account, from its log, as it is written."""

import datetime
import json


class GatewayLog:
    """Follows the file; `take` is called with each record and its time."""

    def __init__(self, path, take):
        self._file = open(path, "rb", buffering=0)
        self._take = take
        self._rest = b""

    def read(self):
        """Whether there was something."""
        data = self._file.read(1 << 20) or b""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                # What the program says beside its log, if it should ever end by a trap.
                record = {"event": "not-a-log-line", "text": line.decode(errors="replace")}
            self._take(record, _seconds(record.get("time")))
        return bool(data)


def _seconds(text):
    """Since 1970, as far down as milliseconds."""
    if text is None:
        return 0.0
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
