"""What calls of the API cost the landing page beyond their share of the CPU."""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from benchmarks import pages
from benchmarks.issuer import make_landing_pages
from benchmarks.journey import HERE, Site
from benchmarks.provider import make_reseller_customer, make_secret

ROUNDS = 7
GOAL = 0.9
# Connections of the landing page, and of what is beside it.
MANY, FEW = 8, 2
PAGE, CALLS, MORE = "landing page", "permissions of an account", "more landing pages"


@dataclass(frozen=True, slots=True)
class Load:
    """What one process of `wrk` asks for."""

    addresses: Path
    connections: int
    header: str = "X-Bench: 1"


@dataclass(frozen=True, slots=True)
class Measured:
    """Requests a second of each load, and the CPU seconds a second of server and database."""

    rates: Mapping[str, float]
    cpu: float


def measure() -> Iterator[str]:
    """Yield the lines of the report.

    What is beside the landing page has a price, its CPU when it is alone. Its rate times this price
    is its share of the CPU; the landing page should keep 0.9 of the rest of its rate. More landing
    pages are the control: they cost what the landing page costs.
    """
    customer = make_reseller_customer()
    name = customer.account.owner.account_name
    links = make_landing_pages()
    with tempfile.TemporaryDirectory() as folder, pages.serving_as_in_production() as pid:
        site = Site("site", HERE.parent, pages.PORTS["site"], connection.settings_dict["NAME"], pid)
        landing, calls = Path(folder, "landing"), Path(folder, "calls")
        landing.write_text("\n".join(links) + "\n")
        calls.write_text(f"/api/v1/provider/permissions?account={name}\n")
        loads = {
            PAGE: Load(landing, MANY),
            CALLS: Load(calls, FEW, f"Authorization: Bearer {make_secret()}"),
            MORE: Load(landing, FEW),
        }
        # The first round fills the caches, and is left out.
        rounds = [measure_round(site, loads) for _ in range(ROUNDS + 1)][1:]
    yield "| beside the landing page | requests/s | its share of CPU | landing, of the rest |"
    yield "|---|---|---|---|"
    for beside in (CALLS, MORE):
        rates, shares, kept = zip(*(found[beside] for found in rounds), strict=True)
        ratio = statistics.median(kept)
        text = f"{ratio:.2f}" if ratio >= GOAL else f"**{ratio:.2f}**"
        yield (
            f"| {beside} | {statistics.median(rates):.0f} | {statistics.median(shares):.2f} "
            f"| {text} ({min(kept):.2f}–{max(kept):.2f}) |"
        )
    yield ""
    yield f"Load of the machine: {os.getloadavg()[0]:.1f}."


def measure_round(site: Site, loads: Mapping[str, Load]) -> dict[str, tuple[float, float, float]]:
    """Return rate, share of the CPU, and what the landing page kept, by what was beside it."""
    alone = {name: run(site, loads, [name]) for name in loads}
    found = {}
    for beside in (CALLS, MORE):
        both = run(site, loads, [PAGE, beside])
        price = alone[beside].cpu / alone[beside].rates[beside]
        share = both.rates[beside] * price / both.cpu
        kept = both.rates[PAGE] / (alone[PAGE].rates[PAGE] * (1 - share))
        found[beside] = both.rates[beside], share, kept
    return found


def run(site: Site, loads: Mapping[str, Load], names: Collection[str]) -> Measured:
    """Run these loads at once, for some seconds."""
    before = site.cpu_seconds()
    programs = {}
    for name in names:
        load = loads[name]
        command = pages.load_command("site", load.addresses, load.connections, load.header)
        programs[name] = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    rates = {}
    for name, program in programs.items():
        result = pages.result_of(program.communicate()[0])
        if result["refused"]:
            sys.exit(f"{name}: {result['refused']:.0f} answers of 400 or more.")
        rates[name] = result["requests"] / result["seconds"]
    return Measured(rates, (site.cpu_seconds() - before) / pages.SECONDS)
