import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, loadEnv } from "vite";

// `npm run dev` shows the dashboard of a running daemon, with changes as they are made. WINDLASS_URL says where the daemon is.
export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  build: {
    outDir: "../../target/dashboard/dist",
    emptyOutDir: true,
    // Nothing is put inline: the page's policy refuses it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    // What others wrote goes with their names and terms.
    license: { fileName: "licences.md" },
    target: "es2023",
  },
  server: { proxy: { "/api": loadEnv(mode, ".", "WINDLASS_")["WINDLASS_URL"] ?? "http://127.0.0.1:7070" } },
}));
