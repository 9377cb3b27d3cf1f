import { defineConfig } from 'vite'

export default defineConfig({
  // Relative addresses let the gateway sit behind a path of a reverse proxy.
  base: './',
  build: {
    outDir: '../src/Spotter.Gateway/wwwroot',
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy forbids data: addresses, so nothing may be inlined as one.
    assetsInlineLimit: 0,
    // A plain script would do for the polyfill, but every browser that runs ES2022 preloads modules by itself.
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/v1': 'http://127.0.0.1:8080' } },
})
