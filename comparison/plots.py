"""Plots, as SVG that reads on a light and on a dark page."""

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .apps import (
    ASYNC,
    DESIGN,
    FLOOR,
    ONE_CORE,
    OURS,
    PWASYNCIO,
    SQLMODEL,
    TORTOISE,
    TUNED,
    TUTORIAL,
)
from .in_process import NO_ORM, PEEWEE, SQLALCHEMY, Costs
from .measure import Results, Sample, Samples

# Of middle lightness, so that they stand out from white and from black: Peewee's warm,
# SQLAlchemy's cold.
COLOURS = {
    OURS.name: "#d9480f",
    DESIGN.name: "#4263eb",
    TUNED.name: "#15aabf",
    TUTORIAL.name: "#1c7ed6",
    SQLMODEL.name: "#0ca678",
    ASYNC.name: "#7950f2",
    TORTOISE.name: "#d6336c",
    PWASYNCIO.name: "#f08c00",
    FLOOR.name: "#868e96",
    PEEWEE: "#d9480f",
    SQLALCHEMY: "#1c7ed6",
    NO_ORM: "#868e96",
}
MARKERS = dict(zip(COLOURS, "oPs^vdX*D...", strict=True))
GREY = "#808080"
STYLE: Any = {
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "axes.titlecolor": GREY,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": "sans-serif",
    "font.size": 9,
    "legend.labelcolor": GREY,
    "legend.frameon": False,
    "savefig.transparent": True,
    # Text stays text, and the same figures make the same file.
    "svg.fonttype": "none",
    "svg.hashsalt": "comparison",
    "text.color": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
}


def write_plots(results: Results, folder: Path) -> list[Path]:
    """Write the plots of what was measured; return the files."""
    plots: list[tuple[str, Callable[[Results], Figure], bool]] = [
        ("routes", _routes, bool(results.routes)),
        ("clients", _clients, bool(results.clients)),
        ("rows", _rows, bool(results.rows)),
        ("items-per-user", _items_per_user, bool(results.items_per_user)),
    ]
    files = []
    with mpl.rc_context(STYLE):
        for name, plot, measured in plots:
            if measured:
                files.append(folder / f"{name}-{results.engine_name}.svg")
                plot(results).savefig(files[-1], metadata={"Date": None})
    return files


def write_in_process_plot(costs: dict[str, Costs], folder: Path) -> None:
    """Write the plot of what was measured in process, if it was."""
    if costs:
        with mpl.rc_context(STYLE):
            figure = _in_process(costs)
            figure.savefig(folder / "in-process.svg", metadata={"Date": None})


def _in_process(costs: dict[str, Costs]) -> Figure:
    figure = Figure(figsize=(8, 2.4 * len(costs)), layout="constrained")
    panels = _panels(figure, len(costs), 1)
    for axes, (answer, of_answer) in zip(panels, costs.items(), strict=True):
        for place, by_orm in enumerate(reversed(of_answer.values())):
            height = 0.8 / len(by_orm)
            for n, (orm, cost) in enumerate(reversed(by_orm.items())):
                middle = place + (n - (len(by_orm) - 1) / 2) * height
                bar = axes.barh(middle, cost, height, color=COLOURS[orm])
                axes.bar_label(bar, [f"{cost:.2g} {orm}"], padding=3)
        axes.set_yticks(range(len(of_answer)), list(of_answer)[::-1])
        axes.margins(x=0.2)
        axes.set_title(answer)
        axes.set_xlabel("CPU ms")
    return figure


def _routes(results: Results) -> Figure:
    figure = Figure(figsize=(8, 8), layout="constrained")
    panels = _panels(figure, 2, 2)
    for axes, (route, by_app) in zip(panels, results.routes.items(), strict=True):
        names = [name for name in by_app if not name.endswith(ONE_CORE)][::-1]
        for place, name in enumerate(names):
            # What has all its threads on one core is paler, below the other bar.
            ways = [n for n in (name, name + ONE_CORE) if n in by_app]
            for n, way in enumerate(ways):
                height = 0.8 / len(ways)
                middle = place - (n - (len(ways) - 1) / 2) * height
                speed = median(sample.load.per_second for sample in by_app[way])
                alpha = 0.5 if n else 1
                bar = axes.barh(middle, speed, height, color=COLOURS[name], alpha=alpha)
                axes.bar_label(bar, fmt="{:,.0f}", padding=3, fontsize=7)
        axes.set_yticks(range(len(names)), names)
        axes.margins(x=0.15)
        axes.set_title(route)
        axes.set_xlabel("requests per second")
    return figure


def _clients(results: Results) -> Figure:
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    (axes,) = _panels(figure, 1, 1)
    _lines(axes, results.clients, lambda sample: sample.load.per_second)
    axes.set_xlabel("clients at once")
    axes.set_ylabel("requests per second")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_xticks(list(results.clients), [f"{n:,}" for n in results.clients])
    axes.minorticks_off()
    figure.legend(loc="outside right upper")
    return figure


def _rows(results: Results) -> Figure:
    return _costs(results.rows, "items in the database")


def _items_per_user(results: Results) -> Figure:
    return _costs(results.items_per_user, "items per user")


def _costs(ladder: dict[str, dict[int, Samples]], unit: str) -> Figure:
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    # One scale for all: costs are to be compared between routes too.
    panels = _panels(figure, 1, len(ladder), sharey=True)
    for axes, (route, rungs) in zip(panels, ladder.items(), strict=True):
        _lines(axes, rungs, lambda sample: sample.cpu_ms)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_title(route)
        axes.set_xlabel(unit)
    panels[0].set_ylabel("CPU ms per request")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def _panels(
    figure: Figure, rows: int, columns: int, sharey: bool = False
) -> list[Axes]:
    panels = figure.subplots(rows, columns, squeeze=False, sharey=sharey)
    return list(panels.flat)


def _lines(
    axes: Axes, rungs: dict[int, Samples], value: Callable[[Sample], float | None]
) -> None:
    for name in next(iter(rungs.values())):
        points = [(rung, value(samples[name])) for rung, samples in rungs.items()]
        axes.plot(
            [rung for rung, _ in points],
            [float("nan") if y is None else y for _, y in points],
            color=COLOURS[name],
            marker=MARKERS[name],
            label=name,
        )
    axes.set_xscale("log")
