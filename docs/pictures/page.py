"""Take the README's pictures of the page that `pellucid explain --html` writes.

    python docs/pictures/page.py     writes the four PNG files beside this one

It needs Chromium and what the extra `test` brings; fonts are the machine's, so that another machine
takes slightly other pictures.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from pellucid.explain.page import page

FOLDER = Path(__file__).resolve().parent
SPEC = "c1 i5x5 o1 k3x3 s2"
VIEWPORT = {"width": 1130, "height": 880}


def main() -> None:
    """Take them all."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for language, ending in (("en", ""), ("ko", ".ko")):
            file = Path(folder) / "page.html"
            file.write_text(page(SPEC, language), encoding="utf-8")
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    viewport=VIEWPORT, color_scheme=scheme, device_scale_factor=1.25
                )
                tab = context.new_page()
                tab.goto(file.as_uri())
                tab.screenshot(path=FOLDER / f"page-{scheme}{ending}.png")
                context.close()
        browser.close()


if __name__ == "__main__":
    main()
