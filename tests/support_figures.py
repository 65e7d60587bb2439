"""How a bench tells what it measured: for people, or as JSON; and whether a bar was missed."""

import json
import sys
from collections.abc import Mapping


def tell(figures: Mapping[str, float], bars: Mapping[str, float]) -> int:
    """The exit code: 1 if a figure is above its bar. `--json` among the arguments chooses the form."""
    missed = [name for name, bar in bars.items() if figures[name] > bar]
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps({"figures": dict(figures), "bars": dict(bars), "missed": missed}) + "\n")
    else:
        for name, value in figures.items():
            bar = f"bar {bars[name]:g}" if name in bars else ""
            sys.stdout.write(f"{name:64} {value:8.2f}   {bar}\n")
    return 1 if missed else 0
