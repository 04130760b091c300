"""What axe finds on a page."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"

RUN = "() => axe.run(document)"
STILL = """async () => {
    const moves = (it) => it.playState === "running" && it.effect.getComputedTiming().iterations !== Infinity;
    for (let frames = 0; frames < 3; frames += 1) {
        await new Promise(requestAnimationFrame);
        if (document.getAnimations().some(moves)) frames = 0;
    }
}"""
"""Until some frames have passed in which nothing moved; what turns for ever is no transition."""


def serious(page: Page) -> list[str]:
    """Violations that keep somebody from using the page, with the first element of each."""
    # Transitions fade text in, and half-faded text has too little contrast.
    page.evaluate(STILL)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(RUN)["violations"]
    grave = [violation for violation in found if violation["impact"] in ("serious", "critical")]
    return [f"{v['id']}: {v['nodes'][0]['target']} {v['nodes'][0]['failureSummary']}" for v in grave]
