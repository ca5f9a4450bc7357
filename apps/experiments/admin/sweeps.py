"""Sweeps on screen: the best so far, what mattered, and every trial as a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.accounts.screens import pretty_json
from apps.core.actors import Actor
from apps.experiments import services
from apps.experiments.models import Sweep, Trial
from apps.experiments.selectors.sweeps import sweep_status
from apps.models_registry.admin.screens import (
    GovernedAdmin,
    ServiceAddAdmin,
    Step,
    table,
)

State = Sweep.State
STATE_COLOURS = {
    State.RUNNING: "warning",
    State.COMPLETED: "success",
    State.CANCELLED: "default",
    State.FAILED: "danger",
}
# Of the plot, in pixels: distance of two axes, height, and room around them.
APART, HIGH, ROOM = 150, 180, 40


def _cancel(actor: Actor, row_id: str, text: str) -> str:
    services.cancel_sweep(actor=actor, sweep_id=row_id)
    return "Cancelled, with every run of it."


class SweepForm(forms.Form):
    document = forms.CharField(
        label="Sweep (JSON)", widget=UnfoldAdminTextareaWidget(attrs={"rows": 24})
    )

    def clean_document(self) -> object:
        try:
            return json.loads(self.cleaned_data["document"])
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"This is not JSON: {error}") from error


@admin.register(Sweep)
class SweepAdmin(ServiceAddAdmin):
    add_form = SweepForm
    add_permission = "experiments.add_sweep"
    steps = (
        Step("cancel", "Cancel", "experiments.cancel_sweep", ("running",), _cancel,
             is_main=False),
    )  # fmt: skip
    list_display = ("short_id", "model", "state_label", "author", "created_at")
    list_select_related = ("model", "author")
    list_filter = ("state", "model")
    fields = (
        "model", "state", "failure", "best", "importance", "plot", "trials", "author",
        "created_at", "finished_at", "content",
    )  # fmt: skip
    readonly_fields = fields

    def create(self, actor: Actor, cleaned: dict[str, Any]) -> Sweep:
        return services.start_sweep(actor=actor, document=cleaned["document"])

    @admin.display(description="Sweep", ordering="pk")
    def short_id(self, row: Sweep) -> str:
        return str(row.pk)[:8]

    @display(description="State", label=STATE_COLOURS, ordering="state")  # type: ignore[untyped-decorator]
    def state_label(self, row: Sweep) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description="Best so far")
    def best(self, row: Sweep) -> str:
        found = _status(row)["best"]
        if found is None:
            return "No trial is complete yet."
        values = json.dumps(found["values"], sort_keys=True)
        return f"Trial {found['trial']}: {found['score']:.4f} with {values}"

    @admin.display(description="What mattered")
    def importance(self, row: Sweep) -> SafeString | str:
        shares = _status(row)["importance"]
        if not shares:
            return "Shown from eight complete trials that differ."
        return table(
            ("Hyper-parameter", "Share", ""),
            ((name, f"{share:.1%}", _bar(share)) for name, share in shares.items()),
        )

    @admin.display(description="Complete trials as lines; the best is drawn bold")
    def plot(self, row: Sweep) -> SafeString | str:
        return parallel_coordinates(_status(row))

    @admin.display(description="Trials")
    def trials(self, row: Sweep) -> SafeString:
        trials = _status(row)["trials"]
        names = sorted({name for one in trials for name in one["values"]})
        return table(
            ("Trial", "State", _status(row)["metric"], "Step", *names, "Run"),
            (
                (
                    one["trial"],
                    one["state"],
                    "-" if one["score"] is None else f"{one['score']:.4f}",
                    one["step"],
                    *(_short(one["values"][name]) for name in names),
                    one["run"],
                )
                for one in trials
            ),
        )

    @admin.display(description="Document")
    def content(self, row: Sweep) -> SafeString:
        return pretty_json(row.document)


# Any: a JSON document, as the shell prints it.
def _status(row: Sweep) -> dict[str, Any]:
    """Read once a page, though several fields show parts of it."""
    kept: dict[str, Any] | None = getattr(row, "_status", None)
    if kept is None:
        kept = sweep_status(row)
        row._status = kept  # type: ignore[attr-defined]
    return kept


def _bar(share: float) -> SafeString:
    return format_html(
        '<svg width="120" height="10" role="img" aria-label="{}">'
        '<rect width="{}" height="10" fill="currentColor"/></svg>',
        f"{share:.1%}",
        f"{120 * share:.0f}",
    )


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def parallel_coordinates(status: dict[str, Any]) -> SafeString | str:
    """One axis a hyper-parameter and one for the score, one line a complete trial.

    The table below holds the same numbers for whoever cannot see the lines.
    """
    done = [one for one in status["trials"] if one["state"] == "complete"]
    if len(done) < 2:
        return "Drawn from two complete trials."
    names = sorted(done[0]["values"])
    columns = [[one["values"][name] for one in done] for name in names]
    columns.append([one["score"] for one in done])
    heights = [_heights(column) for column in columns]
    best = status["best"]["trial"]
    lines = format_html_join(
        "",
        '<polyline points="{}" fill="none" stroke="currentColor" stroke-width="{}" '
        'opacity="{}"/>',
        (
            (
                " ".join(
                    f"{ROOM + axis * APART},{height[place]:.0f}"
                    for axis, height in enumerate(heights)
                ),
                *(("3", "1") if one["trial"] == best else ("1", "0.4")),
            )
            for place, one in enumerate(done)
        ),
    )
    axes = format_html_join("", "{}", (
        (_axis(axis, name, columns[axis]),)
        for axis, name in enumerate([*names, status["metric"]])
    ))  # fmt: skip
    return format_html(
        '<div class="overflow-x-auto"><svg width="{}" height="{}" role="img" '
        'aria-label="Trials by hyper-parameter and score">{}{}</svg></div>',
        2 * ROOM + APART * len(names),
        HIGH + 2 * ROOM,
        axes,
        lines,
    )


def _heights(column: Sequence[Any]) -> list[float]:
    """From the bottom for the least value to the top for the largest."""
    known = sorted(set(column), key=lambda value: (str(type(value)), value))
    if all(isinstance(value, int | float) for value in known):
        low, span = min(known), max(known) - min(known)
        places = [(value - low) / span if span else 0.5 for value in column]
    else:
        last = max(1, len(known) - 1)
        places = [known.index(value) / last for value in column]
    return [ROOM + HIGH * (1 - place) for place in places]


def _axis(axis: int, name: str, column: Sequence[Any]) -> SafeString:
    across = ROOM + axis * APART
    ends = sorted(set(column), key=lambda value: (str(type(value)), value))
    return format_html(
        '<line x1="{0}" y1="{1}" x2="{0}" y2="{2}" stroke="currentColor" '
        'opacity="0.5"/><text x="{0}" y="14" font-size="11" text-anchor="middle" '
        'fill="currentColor">{3}</text><text x="{0}" y="{4}" font-size="10" '
        'text-anchor="middle" fill="currentColor">{5}</text><text x="{0}" y="32" '
        'font-size="10" text-anchor="middle" fill="currentColor">{6}</text>',
        across,
        ROOM,
        ROOM + HIGH,
        name,
        ROOM + HIGH + 16,
        _short(ends[0]),
        _short(ends[-1]),
    )


@admin.register(Trial)
class TrialAdmin(GovernedAdmin):
    list_display = ("number", "sweep", "state", "score", "run", "created_at")
    list_select_related = ("sweep", "run")
    list_filter = ("state",)
