import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { ProxyOptions } from "vite";
import { defineConfig } from "vitest/config";
import { groups } from "./chunks.ts";

const service = process.env.LAYERLOOM_SERVICE ?? "http://127.0.0.1:7878";

/** The service takes requests from its own page only, so the development server speaks in its name. */
const proxy: ProxyOptions = {
  target: service,
  ws: true,
  changeOrigin: true,
  configure(server) {
    server.on("proxyReq", (request) => request.setHeader("origin", service));
    server.on("proxyReqWs", (request) => request.setHeader("origin", service));
  },
};

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2023",
    // light-dark() as it is written: lowered for older browsers it would not follow the page's own switch.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    outDir: "../backend/layerloom/static",
    emptyOutDir: true,
    // Which files a page needs first: what a test adds up.
    manifest: true,
    // The content security policy allows no data: URLs.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    rolldownOptions: { output: { codeSplitting: { groups } } },
  },
  worker: { format: "es" },
  server: { host: "127.0.0.1", proxy: { "/api": proxy } },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    // A guard against what hangs: on a machine that is busy, a whole dialog takes seconds to be drawn.
    testTimeout: 30_000,
  },
});
