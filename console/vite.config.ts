import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The server that `npm run dev` takes the API from.
const server = process.env['HOLDFAST_URL'] ?? 'http://127.0.0.1:8233';

export default defineConfig({
  plugins: [react()],
  build: {
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // Everything is a file of ours: the content security policy knows no other kind.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700, // what loads first is bounded by a test, packed
  },
  server: {
    // The server answers its own pages only: to it, requests come from its own.
    proxy: { '/api': { target: server, changeOrigin: true, configure: (proxy) => proxy.on('proxyReq', (request) => request.removeHeader('origin')) } },
  },
});
