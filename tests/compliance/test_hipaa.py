"""The map of the Security Rule names only controls and tests that exist."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs/compliance").glob("*.md"))
STANDARDS = {
    *(f"164.308(a)({number})" for number in range(1, 9)),
    "164.308(b)",
    *(f"164.310({letter})" for letter in "abcd"),
    "164.312(a)(1)", "164.312(b)", "164.312(c)(1)", "164.312(d)", "164.312(e)(1)",
    "164.314(a)", "164.316(a)", "164.316(b)",
}  # fmt: skip
NODE = re.compile(r"tests/[\w/]+\.py(?:::\w+)*")


def rows() -> list[list[str]]:
    lines = (ROOT / "docs/compliance/hipaa.md").read_text().splitlines()
    table = [line for line in lines if line.startswith("| 164.")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_every_standard_has_one_row():
    named = [row[0] for row in rows()]

    assert set(named) == STANDARDS
    assert len(named) == len(STANDARDS)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_control_exists_and_has_a_test_or_the_row_says_none(row):
    _, _, control, test, evidence = row
    if control.startswith("none"):
        assert test == "none"
        return
    module, _, name = control.strip("`").partition(":")

    assert hasattr(import_module(module), name), control
    assert NODE.fullmatch(test.strip("`"))
    assert evidence


def nodes(page: Path) -> list[str]:
    return NODE.findall(page.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_test_that_a_page_names_is_there(page):
    for node in nodes(page):
        name, *parts = node.split("::")
        path = ROOT / name
        assert path.is_file(), node
        found = {
            one.name
            for one in ast.walk(ast.parse(path.read_text()))
            if isinstance(one, ast.FunctionDef | ast.ClassDef)
        }
        assert set(parts) <= found, node


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_that_a_page_names_is_there(page):
    named = set(re.findall(r"manage\.py ([a-z_]+)", page.read_text()))

    assert named <= get_commands().keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_page_claims_what_only_a_lawyer_can_say(page):
    assert not re.search(r"\bcomplian(t|ce with)\b", page.read_text(), re.IGNORECASE)
