"""What points.csv says of 100 starts, start by start: python experiments/starts/study.py writes study.csv beside it."""

from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
GRADIENTS = ("exact", "notebook", "frozen")


def study(points: pd.DataFrame) -> pd.DataFrame:
    """A row a gradient. right: starts whose answer is right. with_dead: starts with a dead head; margin_with_dead: their median
    margin. alive: the others; q25, median, q75: their margins' quartiles. compared: starts that are alive with the exact
    gradient too; exact_ahead: of these, how many have the larger margin with the exact one; difference: the median of the exact
    one's margin less this one's."""
    by_start = points.pivot(index="seed", columns="model.gradient")
    margins, dead = by_start["train_margin"], by_start["dead_heads"] > 0
    rows = []
    for gradient in GRADIENTS:
        alive = margins[gradient][~dead[gradient]]
        both = ~dead[gradient] & ~dead["exact"]
        ahead = (margins["exact"] - margins[gradient])[both]
        rows.append(
            {
                "gradient": gradient,
                "starts": len(by_start),
                "right": int((by_start["train_accuracy"][gradient] == 1).sum()),
                "with_dead": int(dead[gradient].sum()),
                "margin_with_dead": margins[gradient][dead[gradient]].median(),
                "alive": len(alive),
                **{name: alive.quantile(q) for name, q in (("q25", 0.25), ("median", 0.5), ("q75", 0.75))},
                "compared": int(both.sum()),
                "exact_ahead": int((ahead > 0).sum()),
                "difference": ahead.median(),
            }
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    table = study(pd.read_csv(HERE / "points.csv"))
    table.round(4).to_csv(HERE / "study.csv", index=False, lineterminator="\n")
    print(table.round(4).to_string(index=False))
