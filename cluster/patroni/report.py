"""What each fault cost, in figures and in text."""

from dataclasses import dataclass, field

from ..load import Tally
from ..stored import Stored, show


@dataclass
class Side:
    """What the clients of the app saw that reaches the database in one way."""

    tally: Tally
    # What the nodes have of it in the end, by node.
    nodes: dict[str, Stored]
    # Writes acknowledged after all nodes were there again.
    served_again: int

    @property
    def lost(self) -> int:
        """Acknowledged rows that some node does not have."""
        return max(stored.lost for stored in self.nodes.values())

    @property
    def doubled(self) -> int:
        """Rows that are there more often than they were posted."""
        return max(stored.doubled for stored in self.nodes.values())


@dataclass
class Outcome:
    """What one scenario did in one mode; sides by the app's way to the database."""

    scenario: str
    synchronous: bool
    sides: dict[str, Side]
    # Seconds from the fault until all nodes followed one primary again.
    until_whole: float


@dataclass
class Report:
    """All that was run."""

    outcomes: list[Outcome] = field(default_factory=list)

    def broken_promises(self) -> list[str]:
        """What did not hold, if anything, in words."""
        broken = []
        for outcome in self.outcomes:
            for way, side in outcome.sides.items():
                # Without synchronous mode a user may be lost, and then its items are
                # refused with 404.
                allowed = {200, 503} | ({404} if side.lost else set())
                held = {
                    "no service in the end": side.served_again > 0,
                    "a row is doubled": side.doubled == 0,
                    "the nodes differ": (
                        all(
                            s == next(iter(side.nodes.values()))
                            for s in side.nodes.values()
                        )
                    ),
                    "an acknowledged row is lost": (
                        side.lost == 0 or not outcome.synchronous
                    ),
                    "an unexpected status": side.tally.statuses().keys() <= allowed,
                }
                mode = "synchronous" if outcome.synchronous else "asynchronous"
                broken += [
                    f"{outcome.scenario}, {mode}, by {way}: {promise}"
                    for promise, kept in held.items()
                    if not kept
                ]
        return broken

    def text(self) -> str:
        """The report, to be read."""
        lines = [
            "                         acknowledged writes:    not   "
            "seconds without  whole",
            "scenario    mode   app by   all  lost  doubled  read  "
            "an acknowledged  again",
            "                                                back  "
            "write            after  clients saw",
        ]
        for outcome in self.outcomes:
            mode = "sync" if outcome.synchronous else "async"
            for way, side in outcome.sides.items():
                tally = side.tally
                lines.append(
                    f"{outcome.scenario:11} {mode:6} {way:7}"
                    f"{len(tally.users) + len(tally.items):5}{side.lost:6}"
                    f"{side.doubled:9}{tally.not_read_back:6}"
                    f"{tally.longest_silence():17.1f}{outcome.until_whole:7.0f}"
                    f"  {show(tally.statuses())}"
                )
        return "\n".join(lines)
