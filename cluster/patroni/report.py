"""Cost of each fault, in figures and in text."""

from dataclasses import dataclass, field

from harness.clients import Stored, Tally, show


@dataclass
class Side:
    """Result of clients whose app reaches the database in one way."""

    tally: Tally
    # The rows on each node in the end.
    nodes: list[Stored]

    @property
    def lost(self) -> int:
        """Acknowledged rows that some node does not have."""
        return max(stored.lost for stored in self.nodes)

    @property
    def doubled(self) -> int:
        """Rows that are there more often than they were posted."""
        return max(stored.doubled for stored in self.nodes)


@dataclass
class Outcome:
    """Result of a scenario in a mode; sides by the app's way to the database."""

    scenario: str
    synchronous: bool
    sides: dict[str, Side]
    # By node, of all rows and columns.
    checksums: list[str]
    # Seconds on the clock: the fault, and when all nodes followed one primary again.
    begin: float
    whole: float

    @property
    def mode(self) -> str:
        """Name of the mode."""
        return "sync" if self.synchronous else "async"

    @property
    def keeps_all(self) -> bool:
        """True if no acknowledged write may be lost.

        A frozen primary without a watchdog goes on as primary for a moment. Patroni
        3.0.2 may also give it its lock back, and undo the writes that the other
        primary has acknowledged.
        """
        return self.synchronous and self.scenario != "freeze"

    def promises(self, side: Side) -> dict[str, bool]:
        """Return promises by name, and if each was kept."""
        # The items of a user that was lost, or is not there yet, are refused.
        allowed = {200, 503} if self.keeps_all else {200, 503, 404}
        statuses = side.tally.statuses()
        return {
            f"statuses {show(statuses)}": statuses.keys() <= allowed,
            "a row is doubled": side.doubled == 0,
            "the nodes differ": len(set(self.checksums)) == 1,
            "an acknowledged row is lost": side.lost == 0 or not self.keeps_all,
            "an acknowledged row was not read back": (
                side.tally.not_read_back == 0 or not self.keeps_all
            ),
        }


@dataclass
class Report:
    """All results."""

    outcomes: list[Outcome] = field(default_factory=list)

    def broken_promises(self) -> list[str]:
        """Return the promises that did not hold."""
        return [
            f"{outcome.scenario}, {outcome.mode}, by {way}: {promise}"
            for outcome in self.outcomes
            for way, side in outcome.sides.items()
            for promise, kept in outcome.promises(side).items()
            if not kept
        ]

    def text(self) -> str:
        """Return the report as text."""
        lines = [
            "writes: acknowledged; lost: of these; unread: not found when read back",
            "silent: longest seconds without an acknowledged write, from the fault on",
            "whole: seconds from the fault until all nodes followed one primary",
            "",
            "scenario    mode   app by   writes  lost  doubled  unread  silent  whole  "
            "clients saw",
        ]
        for outcome in self.outcomes:
            for way, side in outcome.sides.items():
                tally = side.tally
                lines.append(
                    f"{outcome.scenario:11} {outcome.mode:6} {way:7}"
                    f"{len(tally.users) + len(tally.items):8}{side.lost:6}"
                    f"{side.doubled:9}{tally.not_read_back:8}"
                    f"{tally.longest_silence(outcome.begin):8.1f}"
                    f"{outcome.whole - outcome.begin:7.0f}"
                    f"  {show(tally.statuses())}"
                )
        return "\n".join(lines)
