"""Result, in figures and in text."""

from dataclasses import dataclass, field

from harness.clients import Stored, Tally, compare, show

from .nodes import DATABASE, Node
from .race import Increments, Race


@dataclass
class NodeState:
    """One node in the end."""

    stored: Stored
    # Of all rows and columns.
    checksums: list[int]
    # Transactions that the node rolled back since another node's came first; the
    # first kind when it was about to commit.
    failed_certifications: int
    aborted: int


@dataclass
class Report:
    """Result; times are seconds on the monotonic clock."""

    tally: Tally = field(default_factory=Tally)
    killed: float = 0
    restarted: float = 0
    synced: float = 0
    # How the node caught up when it came back.
    transfer: str = ""
    race: Race = field(default_factory=Race)
    increments: Increments = field(default_factory=Increments)
    # Statements that the app's processes ran again after a conflict.
    retries: int = 0
    # By node: connections from the app's pools, at the end of the load.
    connections: dict[str, int] = field(default_factory=dict)
    nodes: dict[str, NodeState] = field(default_factory=dict)

    def broken_promises(self) -> list[str]:
        """Return the promises that did not hold."""
        unexpected = self.tally.statuses().keys() - {200, 503}
        states = list(self.nodes.values())
        stored = [state.stored for state in states]
        held = {
            f"statuses other than 200 and 503: {unexpected}": not unexpected,
            "an acknowledged row was not read back": self.tally.not_read_back == 0,
            "an acknowledged row is lost": not any(node.lost for node in stored),
            "a row is doubled": not any(node.doubled for node in stored),
            "the nodes differ": all(s.checksums == states[0].checksums for s in states),
            "no service while the node was away": (
                self.tally.statuses(self.killed + 1, self.restarted)[200] > 0
            ),
            "no service after the node's return": (
                self.tally.statuses(self.synced)[200] > 0
            ),
            "a race had not exactly one winner": self.race.won_once == self.race.rounds,
            "an increment is lost or doubled": all(
                value == self.increments.acknowledged
                for value in self.increments.values
            ),
        }
        return [promise for promise, kept in held.items() if not kept]

    def text(self) -> str:
        """Return the report as text."""
        return "\n".join([*self._load(), "", *self._nodes(), "", *self._conflicts()])

    def _load(self) -> list[str]:
        tally = self.tally
        lines = [
            f"{len(tally.answers)} requests: {show(tally.statuses())}; "
            f"longest time without a write: {tally.longest_silence(self.killed):.1f} s",
            f"writes acknowledged: {len(tally.users)} users, {len(tally.items)} items "
            f"({tally.not_read_back} not read back); "
            f"not acknowledged: {len(tally.unacknowledged)}",
            "",
            "second  answers",
        ]
        events = {
            self.killed: "a node is killed",
            self.restarted: "it is started again",
            self.synced: f"it is synced, by {self.transfer}",
        }
        for second in range(-3, int(tally.answers[-1].time - self.killed) + 1):
            since = self.killed + second
            answers = show(tally.statuses(since, since + 1)) or "none"
            notes = [note for time, note in events.items() if since <= time < since + 1]
            lines.append("  <- ".join([f"{second:6}  {answers}", *notes]))
        return lines

    def _nodes(self) -> list[str]:
        lines = [
            "        rows:                                conflicts:",
            "node    found  lost  doubled  unacknowledged  "
            "certification  abort  connections",
        ]
        for name, state in self.nodes.items():
            stored = state.stored
            lines.append(
                f"{name:6}{stored.found:7}{stored.lost:6}{stored.doubled:9}"
                f"{stored.unacknowledged:16}{state.failed_certifications:15}"
                f"{state.aborted:7}{self.connections[name]:13}"
            )
        return lines

    def _conflicts(self) -> list[str]:
        race, increments = self.race, self.increments
        return [
            f"{race.rounds} races of one email, {race.across_nodes} across nodes: "
            f"{race.won_once} with exactly one winner ({show(race.statuses)}); "
            f"statements run again: {self.retries}",
            f"increments of one number through all nodes: {increments.acknowledged} "
            f"acknowledged, {increments.refused} refused; statements run again: "
            f"{increments.retries}; the nodes have {increments.values}",
        ]


def node_state(node: Node, tally: Tally) -> NodeState:
    """Compare the node's rows with the clients' answers."""
    checksums = node.rows(f"CHECKSUM TABLE {DATABASE}.users, {DATABASE}.items")
    return NodeState(
        compare(
            tally,
            users=node.rows(f"SELECT email, id FROM {DATABASE}.users"),
            items=node.rows(f"SELECT title, id FROM {DATABASE}.items"),
        ),
        checksums=[checksum for _, checksum in checksums],
        failed_certifications=int(node.status("wsrep_local_cert_failures")),
        aborted=int(node.status("wsrep_local_bf_aborts")),
    )
