"""``python -m engine doctor``: what this machine has, what will be used and why, and what to do about what is wrong."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from engine.errors import ExitCode

EXAMPLE = "doctor --json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Print every finding. The exit code is 0 even when something is wrong: the doctor itself has done its work."""
    from engine.planning.diagnosis import Finding, diagnose
    from engine.weights.inventory import installed_helper

    topic = ""
    findings = list(diagnose())
    if installed_helper("segmentation") is None:
        place = next((n for n, finding in enumerate(findings, 1) if finding.topic == "Cut-outs"), len(findings))
        findings.insert(
            place,
            Finding(
                "Cut-outs",
                "Better cut-outs (Grounding DINO and SAM 2.1) are not installed.",
                "Where subjects are cut out wrongly, get them: python -m engine models get cut-out",
                absent=True,
            ),
        )
    for finding in findings:
        if args.json:
            print(json.dumps(asdict(finding)))
            continue
        head = f"{finding.topic}:" if finding.topic != topic else ""
        topic = finding.topic
        mark = "!" if not finding.good else "–" if finding.absent else "✓"
        print(f"{mark} {head:<15} {finding.fact}")
        if finding.step:
            print(f"{'':<17} {finding.step}")
    if not args.json:
        wrong = sum(not finding.good for finding in findings)
        print("\nAll is well." if not wrong else f"\n{wrong} thing{'s need' if wrong > 1 else ' needs'} attention (!).")
    return ExitCode.DONE
