"""Take the pictures of docs/page.md: the page of `relsift serve` on a desktop, light and dark, on a telephone, and in Chinese.

    .venv/bin/python benchmarks/page_pictures.py

Needs Chromium (Debian: the package chromium), with a font that has Chinese characters, and the packages of the extra `dev`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from page_browser import FLAGS, chromium, opened, page_service  # noqa: E402

IMAGES = ROOT / "docs" / "images"
LARGEST = 200_000  # bytes of a picture
DESKTOP = {"width": 1180, "height": 840}
PICTURES: dict[str, dict[str, Any]] = {
    "page-light": {"viewport": DESKTOP},
    "page-dark": {"viewport": DESKTOP, "color_scheme": "dark"},
    "page-phone": {"viewport": {"width": 360, "height": 760}},
    "page-chinese": {"viewport": DESKTOP, "locale": "zh-CN"},
}


def prepare(page: Any, name: str) -> None:
    """Show what the picture is to show."""
    page.wait_for_selector("html[data-ready]")
    if name == "page-chinese":
        page.select_option("#model", "demo-zh")
        page.wait_for_selector(".text:lang(zh)")
        page.wait_for_selector("body:not(.busy, .waiting)")
    page.locator(".arcs .hit").nth(1).dispatch_event("click")
    if name == "page-dark":
        page.locator(".e").first.click()
    if name == "page-phone":
        page.locator(".sentence").nth(1).scroll_into_view_if_needed()
        page.evaluate("document.querySelector('.tools').scrollIntoView()")
    page.evaluate("document.getElementById('live').textContent = ''")
    page.wait_for_timeout(200)


def main() -> None:
    with page_service("demo-en", "demo-zh") as (_, address), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for name, options in PICTURES.items():
            with opened(browser, address, **options) as page:
                prepare(page, name)
                file = IMAGES / f"{name}.png"
                page.screenshot(path=file)
                if (size := file.stat().st_size) > LARGEST:
                    raise SystemExit(f"{file}: expected at most {LARGEST} bytes, got {size}")
                print(f"{file.relative_to(ROOT)}: {size} bytes")
        browser.close()


if __name__ == "__main__":
    main()
