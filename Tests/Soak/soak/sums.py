"""The gateway's counters against each other, its log, the workers' journals and the clients."""

from soak.plan import LISTENERS


class Sums:
    def __init__(self, oracle, metrics, endpoints):
        self._oracle = oracle
        self._metrics = metrics
        self._endpoints = endpoints

    def check(self):
        for listener in LISTENERS:
            self._listener(listener)
        self._packets()
        for endpoint in self._endpoints:
            self._worker(endpoint)

    def _listener(self, listener):
        label = f'{{listener="{listener}"'
        opened = self._metrics[f"gatehouse_sessions_opened_total{label}}}"]
        still = self._metrics[f"gatehouse_sessions_open{label}}}"]
        closed = self._sum(f"gatehouse_sessions_closed_total{label}")
        if opened != still + closed:
            self._oracle.broken(f"{listener}: {opened} opened, {still} open, {closed} closed")
        clients = [c for c in self._oracle.clients.values()
                   if c.listener == listener and (c.connected_at or c.is_turned_away)]
        if opened != len(clients):
            self._oracle.broken(f"{listener}: {opened} opened, {len(clients)} connected")
        counted = self._metrics[f"gatehouse_client_packets_received_total{label}}}"]
        logged = sum(map(self._packets_in, clients))
        if counted != logged:
            self._oracle.broken(f"{listener}: {counted} packets, {logged} by the log")

    def _packets(self):
        """Each packet was sent once, and once more for each time that it had not left."""
        accepted = sum(map(self._packets_in, self._oracle.clients.values()))
        sent = (self._sum("gatehouse_worker_packets_sent_total{")
                + self._oracle.sent_before.total())
        again = self._metrics["gatehouse_packets_rerouted_total"]
        self._oracle.counts["packets rerouted"] = int(again)
        if sent - again > accepted or (sent - again < accepted and not self._oracle.unknown_sent):
            self._oracle.broken(f"packets: {accepted} accepted, {sent} sent, {again} of them anew")

    def _worker(self, endpoint):
        if endpoint in self._oracle.unknown_sent:
            return
        sent = self._oracle.sent_before[endpoint] + sum(
            value for name, value in self._metrics.items()
            if name.startswith("gatehouse_worker_packets_sent_total{")
            and f'worker="{endpoint}"' in name)
        came = self._oracle.packets_at[endpoint]
        is_lossy = any(end.endpoint == endpoint and end.is_loss for end in self._oracle.link_ends)
        if came > sent or (came < sent and not is_lossy):
            self._oracle.broken(f"{endpoint} was sent {sent} packets and has got {came}")

    def _packets_in(self, client):
        record, _ = self._oracle.closed.get(client.plan.connection, ({}, 0))
        return record.get("packets_in", 0)

    def _sum(self, prefix):
        return sum(value for name, value in self._metrics.items() if name.startswith(prefix))
