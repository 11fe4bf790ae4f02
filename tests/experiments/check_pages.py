# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of hsgd report in headless Chromium, started once: check_pages.py [--pictures DIR] PAGE.html...

Each page at three widths, in light and dark: nothing is logged, nothing but the page is asked for, it does not scroll sideways,
every figure is there, all text has a contrast of at least 4.5 and is large enough on a phone; HTML and XML parsers see the
same elements. Prints a line per check as cmocka does, and what is wrong. --pictures leaves a picture of each."""
import base64
import json
import os
import sys
import xml.etree.ElementTree

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common import utils

WIDTHS = (360, 768, 1440)
SCHEMES = ("light", "dark")
CONTRAST = 4.5
LEAST_TEXT_PX = 11
LEAST_FIGURE_PX = 7.5  # indices in figures; their other letters are above 10

# All visible text nodes: colour against what lies behind (WCAG 2.1), and size in pixels of the screen.
TEXTS = """
const rgba = c => { const m = c.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const behind = e => {
  const layers = [];
  for (; e; e = e.parentElement) {
    const c = rgba(getComputedStyle(e).backgroundColor);
    if (c[3] > 0) layers.push(c);
    if (c[3] === 1) break;
  }
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
};
/* In a picture: the cell of a map of colours that the text stands on, if any. */
const cells = new Map();
const cell = (svg, x, y) => {
  if (!cells.has(svg)) cells.set(svg, Array.from(svg.querySelectorAll('rect, polygon, path'), e =>
    [e.getBoundingClientRect(), getComputedStyle(e)]).filter(([, s]) => s.fill.startsWith('rgb(') && s.fillOpacity === '1'));
  const hit = cells.get(svg).filter(([b]) => b.left <= x && x <= b.right && b.top <= y && y <= b.bottom).pop();
  return hit && rgba(hit[1].fill);
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
for (let node; (node = walker.nextNode());) {
  const e = node.parentElement, range = document.createRange(), style = getComputedStyle(e);
  range.selectNodeContents(node);
  const box = range.getBoundingClientRect(), svg = e.closest('svg');
  if (!node.data.trim() || !box.width || !box.height || style.visibility !== 'visible') continue;
  if (e.closest('thead') && e.closest('thead').getBoundingClientRect().width < 2) continue; /* for screen readers only */
  const ink = rgba(svg ? style.fill : style.color), paper = svg && cell(svg, box.x + box.width / 2, box.y + box.height / 2) || behind(e);
  const a = light(over(ink, paper)), b = light(paper);
  const scale = svg && svg.viewBox.baseVal.width ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
  found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), parseFloat(style.fontSize) * scale, !!svg,
              node.data.trim().slice(0, 40)]);
}
return found;
"""
FIGURES = """return Array.from(document.querySelectorAll('figure, svg'), f => {
  const b = f.getBoundingClientRect(); return [f.id || f.getAttribute('aria-label') || f.tagName, b.width, b.height]; });"""


class LocalService(Service):
    """The driver at an address rather than at the name localhost, which a bare machine does not know. (The driver talks to the
    browser through a pipe, for the same reason.)"""

    @property
    def service_url(self):
        return f"http://127.0.0.1:{self.port}"

    def is_connectable(self):
        return utils.is_connectable(self.port, "127.0.0.1")


def start():
    options = Options()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
                     "--no-first-run", "--disable-background-networking", "--remote-debugging-pipe"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=LocalService("/usr/bin/chromedriver"))


def look(driver, width, scheme):
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})


def picture(driver, path, width):
    height = driver.execute_script("return document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, 15000), "scale": 1}
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    with open(path, "wb") as file:
        file.write(base64.b64decode(shot["data"]))


class Findings:
    """What is wrong, by check."""

    def __init__(self):
        self.wrong = {name: [] for name in ("nothing_is_logged", "nothing_is_asked_for", "html_and_xml_are_the_same",
                                            "no_page_scrolls_sideways", "figures_are_visible", "contrast_is_enough",
                                            "text_is_large_enough", "dark_is_dark")}

    def add(self, check, what):
        self.wrong[check].append(what)

    def report(self):
        failed = False
        for check, wrong in self.wrong.items():
            print("[  FAILED  ] " + check if wrong else "[       OK ] " + check)
            for what in wrong[:10]:
                print("    " + what)
            failed = failed or bool(wrong)
        return 1 if failed else 0


def check_texts(driver, where, width, findings):
    texts = driver.execute_script(TEXTS)
    if len(texts) < 100:
        findings.add("contrast_is_enough", f"{where}: only {len(texts)} texts found")
    for contrast, size, in_svg, text in texts:
        if contrast < CONTRAST:
            findings.add("contrast_is_enough", f"{where}: {contrast:.2f}: {text}")
        if width == min(WIDTHS) and size < (LEAST_FIGURE_PX if in_svg else LEAST_TEXT_PX) - 0.01:
            findings.add("text_is_large_enough", f"{where}: {size:.1f} px: {text}")


def check_view(driver, where, width, scheme, findings):
    look(driver, width, scheme)
    wide = driver.execute_script("return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
    if wide > width:
        findings.add("no_page_scrolls_sideways", f"{where}: {wide} px")
    for name, w, h in driver.execute_script(FIGURES):
        if w < 100 or h < 60:
            findings.add("figures_are_visible", f"{where}: {name}: {w} x {h}")
    paper = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    if (int(paper.split("(")[1].split(",")[0]) < 128) != (scheme == "dark"):
        findings.add("dark_is_dark", f"{where}: {paper}")
    check_texts(driver, where, width, findings)


def check_logs(driver, page, findings):
    for entry in driver.get_log("browser"):
        findings.add("nothing_is_logged", f"{page}: {entry['message']}")
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            url = message["params"]["request"]["url"]
            if url != "file://" + page and not url.startswith(("data:", "about:")):
                findings.add("nothing_is_asked_for", f"{page}: {url}")


def check_page(driver, page, pictures, findings):
    driver.get("file://" + page)
    elements = driver.execute_script("return document.querySelectorAll('*').length")
    in_xml = sum(1 for _ in xml.etree.ElementTree.parse(page).iter())
    if elements != in_xml:
        findings.add("html_and_xml_are_the_same", f"{page}: {elements} elements in HTML, {in_xml} in XML")
    driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    for width in WIDTHS:
        for scheme in SCHEMES:
            where = f"{os.path.basename(os.path.dirname(page))}, {width} px, {scheme}"
            check_view(driver, where, width, scheme, findings)
            if pictures:
                picture(driver, f"{pictures}/{os.path.basename(os.path.dirname(page))}-{width}-{scheme}.png", width)
    check_logs(driver, page, findings)


def main(arguments):
    pictures = None
    if arguments[:1] == ["--pictures"]:
        pictures, arguments = arguments[1], arguments[2:]
    findings = Findings()
    driver = start()
    try:
        for page in arguments:
            check_page(driver, os.path.abspath(page), pictures, findings)
    finally:
        driver.quit()
    return findings.report()


sys.exit(main(sys.argv[1:]))
