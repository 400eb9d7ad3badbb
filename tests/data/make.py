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
    write_bank()
    write_accounts()
    write_subscribers()


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


def write_bank(n: int = 700) -> None:
    """Write customers of a bank: students, families, wealthy elders and app users, with churn and default."""
    rng = np.random.default_rng(5)
    group = rng.choice(4, n, p=[0.35, 0.3, 0.2, 0.15])

    def amount(logs: list[float], spread: float) -> np.ndarray:
        return np.exp(rng.normal(np.array(logs)[group], spread)).round()

    has_loan = rng.random(n) < np.array([0.25, 0.55, 0.06, 0.4])[group]
    ages = rng.normal(np.array([29, 45, 66, 48])[group], np.array([6, 8, 7, 9])[group])
    frame = pd.DataFrame(
        {
            "CustomerId": np.arange(10_001, 10_001 + n),
            "Age": np.clip(ages, 18, 92).round().astype(int),
            "Balance": amount([6.5, 7.6, 9.6, 8.2], 0.6),
            "Savings": amount([5.5, 8.0, 10.4, 9.0], 0.7),
            "CardPaymentsPerMonth": rng.poisson(np.array([22, 14, 4, 30])[group]),
            "BranchVisits": rng.poisson(np.array([0.2, 0.8, 3.2, 0.5])[group]),
            "AppLogins": rng.poisson(np.array([24, 10, 0.8, 16])[group]),
            "LoanAmount": np.where(has_loan, amount([8.6, 10.5, 8.5, 9.8], 0.5), 0),
            "NumOfProducts": np.clip(rng.poisson(np.array([0.6, 2, 1.2, 3])[group]) + 1, 1, 7),
            "TenureYears": np.clip(rng.normal(np.array([3, 11, 24, 9])[group], 3), 0.2, 50).round(1),
            "Default": (rng.random(n) < np.array([0.14, 0.08, 0.06, 0.07])[group]).astype(int),
            "Churned": (rng.random(n) < np.array([0.24, 0.14, 0.1, 0.12])[group]).astype(int),
            "SatisfactionScore": np.clip(rng.normal(np.array([3.4, 3.7, 4.4, 3.9])[group], 0.8), 1, 5).round(),
        }
    )
    frame.to_csv(HERE / "bank.csv", index=False)


def write_accounts(n: int = 640) -> None:
    """Write accounts of a supplier of companies: small online ones, satisfied middle ones and large ones."""
    rng = np.random.default_rng(6)
    group = rng.choice(3, n, p=[0.5, 0.33, 0.17])
    frame = pd.DataFrame(
        {
            "Account": [f"AC-{i:05d}" for i in range(n)],
            "Industry": rng.choice(["Manufacturing", "Retail", "Logistics", "Healthcare"], n),
            "Employees": np.exp(rng.normal(np.array([2.7, 4.5, 6.6])[group], 0.5)).round().astype(int),
            "Annual revenue": np.exp(rng.normal(np.array([8.5, 10.3, 12.3])[group], 0.5)).round(),
            "Orders last year": rng.poisson(np.array([3, 11, 30])[group]) + 1,
            "Avg discount": np.clip(rng.normal(np.array([0.03, 0.09, 0.18])[group], 0.03), 0, 0.5).round(3),
            "Days since last order": np.round(rng.exponential(np.array([120, 45, 15])[group])).astype(int),
            "Sales calls": rng.poisson(np.array([1, 4, 14])[group]),
            "Share of orders online": np.clip(rng.beta(2, 2, n) * np.array([1.5, 0.9, 0.5])[group], 0, 1).round(2),
            "NPS": np.clip(rng.normal(np.array([7, 8, 6])[group], 1.5), 0, 10).round().astype(int),
            "Open invoices": rng.poisson(np.array([0.2, 0.6, 2])[group]),
        }
    )
    frame.to_csv(HERE / "accounts.csv", index=False)


def write_subscribers(n: int = 900) -> None:
    """Write subscribers of a service: new ones with questions, and long-standing heavy users; some cancelled."""
    rng = np.random.default_rng(7)
    group = rng.choice(3, n, p=[0.45, 0.35, 0.2])
    fees = np.array([[9.99, 14.99], [19.99, 29.99], [49.99, 59.99]])
    cancelled = rng.random(n) < np.array([0.34, 0.16, 0.12])[group]
    frame = pd.DataFrame(
        {
            "subscriber_id": [f"S{i}" for i in range(n)],
            "monthly_fee": fees[group, rng.integers(0, 2, n)],
            "tenure_months": np.clip(rng.exponential(np.array([7, 25, 40])[group]), 1, 72).round().astype(int),
            "hours_per_week": np.exp(rng.normal(np.array([1.2, 2.4, 3.4])[group], 0.5)).round(1),
            "devices": np.clip(rng.poisson(np.array([0.5, 1.5, 3.5])[group]) + 1, 1, 8),
            "support_tickets": rng.poisson(np.array([1.2, 0.4, 0.8])[group]),
            "autopay": np.where(rng.random(n) < np.array([0.3, 0.6, 0.9])[group], "Yes", "No"),
            "age": np.clip(rng.normal(np.array([30, 41, 45])[group], 10), 18, 90).round().astype(int),
            "cancelled": np.where(cancelled, "Yes", "No"),
        }
    )
    frame.to_csv(HERE / "subscribers.csv", index=False)


if __name__ == "__main__":
    main()
