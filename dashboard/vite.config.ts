import { defineConfig } from 'vite'

export default defineConfig({
  // Read by the control listener: hashed names under /assets are cached for good, nothing is inline, nothing comes from
  // elsewhere, so the strict Content-Security-Policy holds.
  build: {
    outDir: '../build/dashboard',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
  },
  resolve: {
    // The usual build probes `new Function`, which the policy forbids and the console then complains about.
    alias: { msgpackr: 'msgpackr/index-no-eval' },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
})
