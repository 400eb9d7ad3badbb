"""Make the files in this folder, which have the form of public data files and hold made-up customers.

Run: ``python -m tests.data.make``. The same files come out each time.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.sources.synthetic.twin import write_twin

HERE = Path(__file__).parent
SURVEY = (
    *("yummy", "convenient", "spicy", "fattening", "greasy", "fast", "cheap"),
    *("tasty", "expensive", "healthy", "disgusting"),
)
LIKES = ("I hate it!-5", *(f"{n:+d}".replace("+0", "0") for n in range(-4, 5)), "I love it!+5")
VISITS = ("Never", "Once a year", "Every three months", "Once a month", "Once a week", "More than once a week")


def main() -> None:
    """Write all files."""
    rng = np.random.default_rng(1996)
    for made in write_twin(HERE, 300).parent.glob("truth.csv"):
        made.unlink()
    write_transactions(rng)
    write_survey(rng)
    write_sessions(rng)


def write_transactions(rng: np.random.Generator, n_customers: int = 150) -> None:
    """Write purchases as CDNOW published them: all with a heading, a sample with a second identifier and none."""
    rows = []
    for customer in range(1, n_customers + 1):
        days = np.sort(rng.integers(0, 540, 1 + rng.poisson(2)))
        for day in pd.Timestamp("1997-01-01") + pd.to_timedelta(days, unit="D"):
            n = 1 + rng.poisson(1)
            rows.append((customer, f"{day:%Y%m%d}", n, round(float(n * rng.uniform(9, 19)), 2)))
    lines = [f" {who:05d} {day} {n:2d} {amount:7.2f}" for who, day, n, amount in rows]
    heading = "customer_id date number_of_cds dollar_value"
    (HERE / "CDNOW_master.txt").write_bytes("\r\n".join([heading, *lines, ""]).encode())
    sample = [f" {7 * who:05d} {who:04d} {day} {n:2d} {amount:7.2f}" for who, day, n, amount in rows]
    (HERE / "CDNOW_sample.txt").write_bytes("\r\n".join([*sample, ""]).encode())


def write_survey(rng: np.random.Generator, n: int = 200) -> None:
    """Write answers to eleven questions with yes or no, and four about the person."""
    answers = {name: np.where(rng.random(n) < share, "Yes", "No") for name, share in zip(
        SURVEY, rng.uniform(0.1, 0.9, len(SURVEY)), strict=True
    )}  # fmt: skip
    about = {
        "Like": rng.choice(LIKES, n),
        "Age": rng.integers(18, 72, n),
        "VisitFrequency": rng.choice(VISITS, n),
        "Gender": rng.choice(["Female", "Male"], n),
    }
    pd.DataFrame({**answers, **about}).to_csv(HERE / "mcdonalds.csv", index=False, lineterminator="\r\n")


def write_sessions(rng: np.random.Generator, n: int = 400) -> None:
    """Write sessions of a web shop, one a row, without a name of the visitor."""
    pages = {"Administrative": 2, "Informational": 1, "ProductRelated": 30}
    counts = {name: rng.poisson(rng.gamma(1, mean, n)) for name, mean in pages.items()}
    lasted = {f"{name}_Duration": np.round(count * rng.uniform(10, 60, n), 4) for name, count in counts.items()}
    columns = {name: values for pair in zip(counts.items(), lasted.items(), strict=True) for name, values in pair}
    bounces = np.round(rng.beta(1, 30, n), 6)
    frame = pd.DataFrame(
        {
            **columns,
            "BounceRates": bounces,
            "ExitRates": np.round(np.minimum(bounces + rng.beta(1, 25, n), 0.2), 6),
            "PageValues": np.round(np.where(rng.random(n) < 0.2, rng.gamma(2, 12, n), 0), 6),
            "SpecialDay": rng.choice([0, 0.2, 0.4, 0.6, 0.8, 1], n, p=[0.9, *[0.02] * 5]),
            "Month": rng.choice(["Feb", "Mar", "May", "June", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], n),
            "OperatingSystems": rng.choice([1, 2, 3, 4], n),
            "Browser": rng.choice([1, 2, 4, 5, 10], n),
            "Region": rng.integers(1, 10, n),
            "TrafficType": rng.choice([1, 2, 3, 4, 13], n),
            "VisitorType": rng.choice(["Returning_Visitor", "New_Visitor", "Other"], n, p=[0.85, 0.14, 0.01]),
            "Weekend": np.where(rng.random(n) < 0.23, "TRUE", "FALSE"),
            "Revenue": np.where(rng.random(n) < 0.16, "TRUE", "FALSE"),
        }
    )
    frame.to_csv(HERE / "online_shoppers_intention.csv", index=False, lineterminator="\r\n")


if __name__ == "__main__":
    main()
