"""What is said of a run in which something was broken."""

import datetime

SHOWN_MAX = 5


def failure(soak):
    """The properties, sessions and last events, and the command that runs the same plan again."""
    lines = []
    for text, client, session in soak.oracle.errors[:SHOWN_MAX]:
        lines.append(f"BROKEN: {text}")
        if session is not None:
            lines.append(f"  session {session}")
        if client is not None:
            plan = client.plan
            lines.append(f"  client {plan.connection} from {plan.address}, {plan.behaviour}, on "
                         f"{client.listener}, account {client.account or '-'}")
            lines += [f"  {_time(at)} {event}" for at, event in sorted(client.events)]
            lines.append(f"  sent {client.packets_sent} packets, {client.bytes_sent} bytes; heard "
                         f"{client.hearing.bytes} bytes, the newest for packet "
                         f"{client.hearing.newest_number}, "
                         f"{len(client.hearing.half_answer)} of them not whole yet")
            lines += [f"  heard {h.answers} answers of worker {h.incarnation}"
                      for h in client.hearing.heard]
        known = soak.oracle.sessions.get(session)
        for stay in known.stays if known else []:
            lines.append(f"  {_time(stay.opened_at)} at {stay.stream.endpoint}, its worker "
                         f"{stay.incarnation}: packets {stay.first} to {stay.end - 1}, "
                         f"{stay.answers} answers")
    more = soak.oracle.counts["errors"] - SHOWN_MAX
    if more > 0:
        lines.append(f"… and {more} more")
    lines.append("the last that was done:")
    lines += [f"  {_time(at)} {event}" for at, event in soak.oracle.events]
    lines.append(f"logs and journals: {soak.folder}")
    plan = soak.plan
    lines.append(f"again: SEED={plan.seed} SECONDS={plan.seconds:g} CLIENTS={plan.clients} "
                 "make soak")
    return "\n".join(lines)


def _time(at):
    return datetime.datetime.fromtimestamp(at).strftime("%H:%M:%S.%f")[:-3]
