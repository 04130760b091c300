// Runs before the first paint, so that a dark page never flashes white. A file of its own because the
// content security policy allows no inline script.
(() => {
  let stored = null;
  try {
    stored = localStorage.getItem("layerloom.theme");
  } catch {
    // Storage may be forbidden; the system's choice then holds.
  }
  const dark = stored === "dark" || (stored !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
