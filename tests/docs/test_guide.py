"""The guide says what the program has: the keys of the code, pictures that are there, links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from docs.screenshots import GUIDE, IMAGES, PICTURES, with_keys

ROOT = Path(__file__).resolve().parents[2]
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)#]+)[^)]*\)")


def test_the_table_of_keys_is_that_of_the_code():
    text = GUIDE.read_text(encoding="utf-8")
    assert "| Ctrl+Enter | Generate |" in text
    assert with_keys(text) == text, "run: python -m docs.screenshots --keys"


def test_the_script_takes_exactly_the_pictures_of_the_guide():
    used = sorted(re.findall(r"!\[[^\]]*\]\(images/([a-z]+-(?:dark|light))\.webp\)", GUIDE.read_text(encoding="utf-8")))
    taken = sorted(f"{state}-{theme}" for state, theme in PICTURES)
    assert used == taken and len(taken) <= 12


def test_the_pictures_are_there_and_small():
    files = [IMAGES / f"{state}-{theme}.webp" for state, theme in PICTURES]
    assert sum(file.stat().st_size for file in files) <= 1_500_000
    for file in files:
        with Image.open(file) as picture:
            assert picture.width >= 280 and picture.height >= 400, file.name


def test_links_of_the_guide_and_the_readme_lead_to_files():
    for page in (GUIDE, ROOT / "README.md"):
        links = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
        assert links
        missing = [link for link in links if not (page.parent / link).exists()]
        assert not missing, f"{page.name}: {missing}"
