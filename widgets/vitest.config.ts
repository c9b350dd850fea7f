import { defineConfig } from "vitest/config";

export default defineConfig({ test: { environment: "jsdom", css: true, testTimeout: 20_000, include: ["test/*.test.ts", "labextension/test/*.test.ts"], setupFiles: ["test/setup.ts"] } });
